"""The page: its form, its width, its last line, and what it says to a shell."""

import pytest

from hftoolkit.diagnosing.diagnosis import WIDTH, Diagnosis, Finding, Section, State


def diagnosis(*findings: Finding) -> Diagnosis:
    return Diagnosis((Section("hub", findings),))


def test_the_page() -> None:
    found = Diagnosis(
        (
            Section(
                "versions", (Finding("torch", "2.13.0"), Finding("peft", "0.1, where >=0.18 is needed", "problem", "a"))
            ),
            Section("hub", (Finding("endpoint", "https://huggingface.co, not asked", "note", "one\ntwo"),)),
        )
    )
    assert str(found) == (
        "versions\n"
        "  torch  2.13.0\n"
        "  peft   problem: 0.1, where >=0.18 is needed\n"
        "           a\n"
        "\n"
        "hub\n"
        "  endpoint  note: https://huggingface.co, not asked\n"
        "              one\n"
        "              two\n"
        "\n"
        "something does not work: 1 problem (peft), 1 note"
    )


@pytest.mark.parametrize(
    ("states", "code", "last"),
    [
        ([], 0, "everything works that is needed"),
        (["ok"], 0, "everything works that is needed"),
        (["note", "ok", "note"], 0, "everything works that is needed: 2 notes"),
        (["problem"], 1, "something does not work: 1 problem (f0)"),
        (["problem", "note", "problem"], 1, "something does not work: 2 problems (f0, f2), 1 note"),
    ],
)
def test_the_result_stands_in_the_last_line_and_in_the_exit_code(states: list[State], code: int, last: str) -> None:
    found = diagnosis(*(Finding(f"f{number}", "text", state) for number, state in enumerate(states)))
    assert (found.exit_code, found.ok, list(found.lines())[-1]) == (code, code == 0, last)


def test_long_texts_are_broken_at_blanks() -> None:
    page = str(diagnosis(Finding("a name", "some words " * 40, "note")))
    assert max(map(len, page.splitlines())) <= WIDTH
    assert page.splitlines()[2].startswith(" " * len("  a name  ") + "some words ")


def test_what_cannot_be_broken_stays_whole() -> None:
    path, command = "~/" + "folder-with-a-name/" * 8, "pip install " + "x" * WIDTH
    lines = str(diagnosis(Finding("cache", path, "note", command))).splitlines()
    assert any(path in line for line in lines)
    assert any(command in line for line in lines)


def test_a_notebook_shows_the_page() -> None:
    assert diagnosis(Finding("a", "<b>"))._repr_html_() == (
        "<pre>hub\n  a  &lt;b&gt;\n\neverything works that is needed</pre>"
    )

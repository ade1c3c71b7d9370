"""`hftoolkit doctor`: what it prints, and how it leaves."""

import pytest
from running import hftoolkit

from hftoolkit.diagnosing.diagnosis import Diagnosis, Finding, Section, State


def test_help() -> None:
    assert hftoolkit("doctor", "--help").out == (
        "Usage: hftoolkit doctor [OPTIONS]\n"
        "\n"
        "  Look at this installation: versions, machine, folders, the hub.\n"
        "\n"
        "  Prints a page that can be pasted into a report of a bug: no secret is on it.\n"
        "  Leaves with 0 if everything works that is needed, with 1 if not.\n"
        "  HF_HUB_OFFLINE=1 asks the hub nothing.\n"
        "\n"
        "Options:\n"
        "  --endpoint URL  Of a mirror of the hub; left out: HF_ENDPOINT.\n"
        "  -h, --help      Show this message and exit.\n"
    )


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("note", 0), ("problem", 1)])
def test_the_page_goes_to_standard_output_and_its_result_to_the_shell(
    state: State, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Diagnosis((Section("hub", (Finding("endpoint", "机器", state),)),))
    monkeypatch.setattr("hftoolkit.diagnosing.doctor", lambda: found)
    outcome = hftoolkit("doctor")
    assert (outcome.code, outcome.out, outcome.err) == (code, f"{found}\n", "")

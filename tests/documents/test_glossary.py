from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hftoolkit.documents.glossary import Glossary, Term, read_glossary
from hftoolkit.documents.pieces import Mark, flat
from hftoolkit.documents.protection import Found
from hftoolkit.errors import DataError


def glossary(**terms: str) -> Glossary:
    return Glossary(tuple(Term(source.replace("_", " "), target) for source, target in terms.items()))


def message(path: Path, text: str | bytes) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError) as caught:
        read_glossary(path)
    return str(caught.value).replace(str(path), "g.tsv")


@pytest.mark.parametrize(
    ("source", "terms"),
    [
        ("A server, two servers, the Server.", ["server"]),
        ("web server's", ["web server"]),
        ("Web\n  server on a web-server", ["web server", "server"]),
        ("webserver server_1 observer", []),
        ("GPU and gpu; gPUs", ["GPU"]),
        ("a gpu", []),
        ("GPU服务器", ["GPU", "服务器"]),
        ("C++, .NET and C#", ["C++", ".NET"]),
        ("服务", []),
        ("लता है", []),
        ("लत है", ["लत"]),
    ],
)
def test_terms_of_a_text(source: str, terms: list[str]) -> None:
    found = Glossary(
        tuple(Term(term, "x") for term in ("server", "web server", "GPU", "服务器", "C++", ".NET", "लत"))
    ).terms_in(source)
    assert [term.source for term in found] == terms


def test_a_term_that_a_translation_does_not_have() -> None:
    terms = glossary(server="服务器", New_York="Neu York", house="Haus")
    assert terms.broken("The server", "服务 器") == []
    assert terms.broken("A server in New York", "Ein Rechner in neu york") == [("server", "服务器")]
    assert terms.broken("New York houses", "x") == [("New York", "Neu York")]
    assert terms.broken("A house", "des Hauses") == []
    assert terms.broken("words", "") == []


def test_terms_are_put_in_as_marks() -> None:
    terms = glossary(server="服务器")
    text = ("The ", Mark("server"), " server: Server!")
    assert terms.apply(text) == ("The ", Mark("server"), " ", Found("服务器"), ": ", Found("服务器"), "!")
    assert terms.apply(("none",)) == ("none",)


def test_a_file_of_terms(tmp_path: Path) -> None:
    path = tmp_path / "g.tsv"
    path.write_bytes(
        "\ufeffSource\tTarget\r\n# a note\n\n server \t服务器\nGPU\t显卡\nserver\t服务器\nsource\ttarget\n".encode()
    )
    assert read_glossary(path).terms == (Term("server", "服务器"), Term("GPU", "显卡"), Term("source", "target"))


def test_lines_that_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "g.tsv"
    assert message(path, "a\nb\tc\td\n\te\nf\t\nserver\tx\nServer\ty\nGPU\t1\ngpu\t2\n") == (
        "g.tsv: 5 lines do not fit\n"
        "  line 1: found 1 column, expected 2\n"
        "  line 2: found 3 columns, expected 2\n"
        "  line 3: 'e' is of no term\n"
        "  line 4: 'f' has no translation\n"
        "  line 6: 'Server' is 'y' here and 'x' in line 5\n"
        "  a line has a term, a tab and its translation"
    )


def test_one_line_or_many_that_do_not_fit(tmp_path: Path) -> None:
    advice = "  a line has a term, a tab and its translation"
    assert message(tmp_path / "g.tsv", "a\n") == f"g.tsv: line 1: found 1 column, expected 2\n{advice}"
    assert message(tmp_path / "g.tsv", "a\n" * 7).endswith(
        f"  line 5: found 1 column, expected 2\n  and 2 more\n{advice}"
    )


def test_files_that_hold_no_terms(tmp_path: Path) -> None:
    path = tmp_path / "g.tsv"
    advice = "no terms in this file\n  write one in each line: the term, a tab, its translation"
    assert message(path, "# nothing\n\n") == f"g.tsv: {advice}"
    assert message(path, b"a\t\xff\n") == "g.tsv: line 1: byte 3 is not UTF-8\n  save the text as UTF-8 first"
    with pytest.raises(DataError, match="cannot be read: No such file or directory\n  check the name of the file"):
        read_glossary(tmp_path / "none.tsv")


words = st.text(st.sampled_from("abA 中C+.-"), min_size=1, max_size=6).filter(str.strip)


@settings(deadline=None)
@given(st.dictionaries(words.map(str.strip), words, max_size=5), st.text(st.sampled_from("abA 中C+.-\n"), max_size=30))
def test_what_is_no_term_stays(terms: dict[str, str], text: str) -> None:
    found = Glossary(tuple(Term(source, target) for source, target in terms.items()))
    applied = found.apply((text,))
    kept = [part for part in applied if isinstance(part, str)]
    assert found.broken(text, flat(applied)) == []
    assert len([part for part in applied if isinstance(part, Mark)]) >= len(found.terms_in(text))
    position = 0
    for part in kept:
        position = text.index(part, position) + len(part)

import codecs
import tracemalloc
from pathlib import Path

import pytest
from document_reading import SETTINGS, documents, patient
from hypothesis import given
from hypothesis import strategies as st

from hftoolkit.documents.pieces import Place
from hftoolkit.documents.reading import Document, open_document, read_document
from hftoolkit.errors import DataError, UsageError


def written(document: Document, translation: str | None = None) -> bytes:
    """A document with one text in place of all of its own, or with none."""
    return b"".join(
        document.encoded(
            piece
            if isinstance(piece, str)
            else piece.kept
            if translation is None
            else piece.fill([(translation,)] * len(piece.texts))
            for piece in document.pieces
        )
    )


def opened(path: Path, data: bytes, format: str | None = None) -> Document:
    path.write_bytes(data)
    return open_document(path, SETTINGS, format)


@pytest.mark.parametrize(
    ("name", "format"),
    [
        *(("a.txt", "text"), ("a", "text"), ("README", "text"), ("a.rst", "text"), ("a.log.1", "text")),
        *(("a.jsonl", "jsonl"), ("a.ndjson", "jsonl"), ("a.json", "jsonl"), ("a.csv", "csv"), ("a.TSV", "tsv")),
        *(("a.tab", "tsv"), ("a.srt", "srt"), ("a.vtt", "vtt"), ("a.md", "markdown"), ("a.Markdown", "markdown")),
        *(("a.html", "html"), ("a.htm", "html"), ("a.xhtml", "html"), ("a.de.md", "markdown")),
    ],
)
def test_a_name_tells_the_format(tmp_path: Path, name: str, format: str) -> None:
    document = opened(tmp_path / name, b"")
    assert (document.format, document.encoding, document.name) == (format, "utf-8", str(tmp_path / name))
    assert written(document) == b""


def test_a_format_may_be_named(tmp_path: Path) -> None:
    assert written(opened(tmp_path / "a.pdf", b"# a\n", "markdown"), "b") == b"# b\n"


FORMATS = (
    "text (.txt .text), jsonl (.jsonl .ndjson .json), csv (.csv), tsv (.tsv .tab), srt (.srt), vtt (.vtt), "
    "markdown (.md .markdown .mdown .mkd), html (.html .htm .xhtml), po (.po .pot), xliff (.xlf .xliff), tmx (.tmx)"
)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("a.docx", "a .docx file"),
        ("a.PDF", "a .pdf file"),
        ("a.xlsx", "a .xlsx file"),
        ("a.bin", "a file that holds no text"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, name: str, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        opened(tmp_path / name, b"PK\x03\x04\0")
    assert str(caught.value) == (
        f"{tmp_path / name}: {what} cannot be translated\n"
        f"  save it in a format that can: {FORMATS}\n"
        "  what has another suffix is said:  --format markdown"
    )


def test_an_unknown_format(tmp_path: Path) -> None:
    message = "no format 'docx'\n  the formats are: text, jsonl, csv, tsv, srt, vtt, markdown, html, po, xliff, tmx"
    with pytest.raises(UsageError) as caught:
        opened(tmp_path / "a.txt", b"", "docx")
    assert str(caught.value) == message
    with pytest.raises(UsageError) as caught:
        read_document("", SETTINGS, "docx")
    assert str(caught.value) == message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        open_document(tmp_path / "a.txt", SETTINGS)
    assert str(caught.value) == (
        f"{tmp_path / 'a.txt'}: cannot be read: No such file or directory\n  check the name of the file"
    )


@pytest.mark.parametrize("format", ["text", "markdown"])
def test_a_byte_order_mark_is_no_part_of_the_first_text(tmp_path: Path, format: str) -> None:
    document = opened(tmp_path / "a.x", b"\xef\xbb\xbfone\r\n", format)
    assert written(document, "two") == b"\xef\xbb\xbftwo\r\n"
    assert written(read_document("\ufeffone", SETTINGS, format), "two") == b"\xef\xbb\xbftwo"


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_a_byte_that_is_not_utf_8(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError) as caught:
        written(opened(tmp_path / name, b"one\nt\xe9o\n"))
    assert str(caught.value) == f"{tmp_path / name}: line 2: byte 2 is not UTF-8\n  save the text as UTF-8 first"


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
def test_what_is_read_line_by_line_is_read_and_written_in_the_encoding_of_its_mark(
    mark: bytes, encoding: str, tmp_path: Path
) -> None:
    head = "1\r\n00:00:01,000 --> 00:00:02,000\r\n"
    data = mark + f"{head}tea\r\n".encode(encoding)
    assert written(opened(tmp_path / "a.srt", data)) == data
    assert written(opened(tmp_path / "a.srt", data), "茶") == mark + f"{head}茶\r\n".encode(encoding)


def test_a_text_in_utf_16_is_a_text(tmp_path: Path) -> None:
    data = codecs.BOM_UTF16_BE + "tea\rmilk\r".encode("utf-16-be")
    document = opened(tmp_path / "README", data)
    assert document.format == "text"
    assert written(document, "茶") == codecs.BOM_UTF16_BE + "茶\r茶\r".encode("utf-16-be")


def test_half_a_character_of_utf_16(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        opened(tmp_path / "a.srt", codecs.BOM_UTF16_LE + "1\n".encode("utf-16-le") + b"1")
    assert str(caught.value) == (
        f"{tmp_path / 'a.srt'}: line 2: byte 2 is not UTF-16-LE\n  save the text as UTF-8 first"
    )


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ('<meta charset="gb2312">', "gb18030"),
        ("<META http-equiv=Content-Type content='text/html; charset=ISO-8859-1'>", "cp1252"),
        ('<?xml version="1.0" encoding="koi8-r"?>', "koi8-r"),
        ("<meta charset=shift_jis>", "shift_jis"),
        ("<meta name=viewport>", "utf-8"),
    ],
)
def test_html_is_read_and_written_in_the_encoding_that_it_names(tmp_path: Path, head: str, encoding: str) -> None:
    data = f"{head}<p>a</p>".encode(encoding)
    document = opened(tmp_path / "a.html", data)
    assert document.encoding == encoding
    assert written(document) == data
    changed = written(opened(tmp_path / "a.html", data), "\u0431\U0001f600").decode(encoding)
    assert changed in (
        f"{head}<p>\u0431\U0001f600</p>",
        f"{head}<p>\u0431&#128512;</p>",
        f"{head}<p>&#1073;&#128512;</p>",
    )


def test_utf_16_by_its_mark(tmp_path: Path) -> None:
    data = codecs.BOM_UTF16_BE + "<meta charset=utf-16><p>é</p>".encode("utf-16-be")
    document = opened(tmp_path / "a.html", data)
    assert document.encoding == "utf-16-be"
    assert written(document) == data


def test_po_is_read_in_the_encoding_of_its_header(tmp_path: Path) -> None:
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset={}\\n"\n\n'
    entry = 'msgid "tea"\nmsgstr ""\n'
    latin = (head.format("ISO-8859-1") + "# caf\u00e9\n" + entry).encode("latin-1")
    assert written(opened(tmp_path / "a.po", latin)) == latin
    assert opened(tmp_path / "a.po", latin).encoding == "iso8859-1"
    template = (head.format("CHARSET") + entry).encode()
    assert opened(tmp_path / "a.pot", template).encoding == "utf-8"
    with pytest.raises(DataError) as caught:
        written(opened(tmp_path / "a.po", latin), "茶")
    assert str(caught.value) == (
        f"{tmp_path / 'a.po'}: '茶' of a translation cannot be written in iso8859-1\n  convert the file to UTF-8 first"
    )


def test_an_encoding_that_python_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        opened(tmp_path / "a.html", b"<meta charset=x-mac-tea>")
    assert str(caught.value) == (
        f"{tmp_path / 'a.html'}: says that its encoding is 'x-mac-tea', which Python does not know\n"
        "  save the text as UTF-8 first"
    )


def test_bytes_that_would_not_come_back_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        opened(tmp_path / "a.html", b"<meta charset=utf-7>+AGEAYg-")
    assert str(caught.value) == (
        f"{tmp_path / 'a.html'}: has characters that utf-7 writes in more than one way, and would not come back as it "
        "is\n  save the text as UTF-8 first"
    )


@pytest.mark.parametrize("format", ["text", "jsonl", "csv", "tsv", "srt", "vtt"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, format: str) -> None:
    cue = "00:00:01.000 --> 00:00:02.000\nHello you\n\n"
    head, line = {
        "jsonl": ("", '{"text": "Hello you", "id": 1}\n'),
        "csv": ("text,id\n", '"Hello, you",1\n'),
        "tsv": ("text\tid\n", "Hello you\t1\n"),
        "srt": ("", f"1\n{cue}"),
        "vtt": ("WEBVTT\n\n", cue),
    }.get(format, ("", "- Hello you\n"))

    def most(count: int) -> int:
        document = opened(tmp_path / "a", (head + line * count).encode(), format)
        tracemalloc.start()
        assert sum(isinstance(piece, Place) for piece in document.pieces) == count
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    most(10)  # imports
    assert most(20_000) < most(200) + 200_000  # the lines alone would take a million


@patient
@given(documents("- ", "# ", "<p>", "**"), st.sampled_from(["text", "markdown", "html"]))
def test_a_text_in_memory_comes_back(text: str, format: str) -> None:
    assert written(read_document(text, SETTINGS, format)) == text.encode()

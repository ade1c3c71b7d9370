import codecs
from pathlib import Path

import pytest

from hftoolkit.data.census import Census
from hftoolkit.data.sources.lines import read_lines
from hftoolkit.data.sources.reading import Reading
from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Source


def lines_of(path: Path, encoding: str | None = None) -> list[str]:
    return list(read_lines(path, encoding, reading()))


def reading() -> Reading:
    return Reading(Source(source="test"), ("source", "target"), None, Census("test"))


def message(path: Path, encoding: str | None = None) -> str:
    with pytest.raises(DataError) as caught:
        lines_of(path, encoding)
    return str(caught.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.txt"


def test_only_a_line_feed_ends_a_line(file: Path) -> None:
    text = "a\x85b\u2028c\u2029d\x0be\x0cf\x1cg\rh\x00i\n\r\nlast"
    file.write_bytes(text.encode())
    assert lines_of(file) == ["a\x85b\u2028c\u2029d\x0be\x0cf\x1cg\rh\x00i\n", "\r\n", "last"]


@pytest.mark.parametrize(
    ("mark", "codec"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_byte_order_mark_tells_the_encoding_and_is_noted(file: Path, mark: bytes, codec: str) -> None:
    file.write_bytes(mark + "é中\n上\n".encode(codec))
    noted = reading()
    assert list(read_lines(file, None, noted)) == ["é中\n", "上\n"]
    noted.finish()
    assert noted.census.notes == [f"{file} begins with a byte order mark: read as {codec.upper()}"]


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf-8-sig"])
def test_a_byte_order_mark_is_no_text_when_the_encoding_is_named(file: Path, encoding: str) -> None:
    file.write_bytes(codecs.BOM_UTF8 + b"a\n")
    assert lines_of(file, encoding) == ["a\n"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_a_byte_order_mark_of_utf_16_is_no_text(file: Path, encoding: str) -> None:
    file.write_bytes(codecs.BOM_UTF16_LE + "上a\n".encode("utf-16-le"))
    assert lines_of(file, encoding) == ["上a\n"]


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "shift_jis", "utf-16-be", "euc_jp"])
def test_a_named_encoding_is_used(file: Path, encoding: str) -> None:
    file.write_bytes("中文\n上\n".encode(encoding))
    assert lines_of(file, encoding) == ["中文\n", "上\n"]


def test_a_byte_that_is_not_utf_8_is_told_with_its_place(file: Path) -> None:
    file.write_bytes("é\nab".encode() + b"\xe9\nc\n")
    assert message(file) == (
        f"{file}: byte 6 (line 2): 0xE9 is not UTF-8 here\n"
        "  if the file has another encoding, say so:  encoding: gb18030"
    )


def test_the_place_is_right_far_into_a_file(file: Path) -> None:
    file.write_bytes("中\n".encode() * 600_000 + b"\xff")
    assert "byte 2400001 (line 600001): 0xFF is not UTF-8" in message(file)


def test_a_character_cut_off_by_the_end_is_told(file: Path) -> None:
    file.write_bytes(codecs.BOM_UTF8 + b"a\n" + "中".encode()[:2])
    assert "byte 6 (line 2): 0xE4 is not UTF-8 here" in message(file)


def test_a_byte_that_is_not_of_the_named_encoding_is_told(file: Path) -> None:
    file.write_bytes("中文\n".encode("gb18030") + b"\xff\n")
    assert "byte 6 (line 2): 0xFF is not GB18030 here" in message(file, "gb18030")


@pytest.mark.parametrize("encoding", ["utf9", "rot13", "hex", "a\x00b"])
def test_an_encoding_that_does_not_exist(file: Path, encoding: str) -> None:
    file.write_bytes(b"a\n")
    assert message(file, encoding) == (
        f"{file}: encoding: Python knows no encoding {encoding!r}\n"
        "  names are such as:  utf-8  utf-16  gb18030  big5  shift_jis  cp1252  iso-8859-1"
    )


def test_a_missing_file_with_a_near_name(file: Path) -> None:
    (file.parent / "files.txt").touch()
    assert message(file) == f"{file}: no such file\n  did you mean '{file.parent / 'files.txt'}'?"


def test_a_missing_file(file: Path) -> None:
    assert message(file) == f"{file}: no such file\n  paths count from the recipe file's folder"


def test_a_missing_folder(tmp_path: Path) -> None:
    path = tmp_path / "no" / "file.txt"
    assert message(path) == f"{path}: no such file, nor such a folder\n  paths count from the recipe file's folder"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert message(tmp_path).startswith(f"{tmp_path}: cannot be read: ")


def test_an_empty_file_has_no_lines(file: Path) -> None:
    file.touch()
    assert lines_of(file) == []


@pytest.mark.parametrize(("encoding", "codec"), [("utf-16", "utf-16"), ("UTF32", "utf-32")])
def test_nothing_tells_the_byte_order(file: Path, encoding: str, codec: str) -> None:
    file.write_bytes("text\n".encode(f"{codec}-le"))
    assert message(file, encoding) == (
        f"{file}: encoding: {encoding} without a byte order mark does not tell its byte order\n"
        f"  say it:  encoding: {codec}-le  (or {codec}-be)"
    )


@pytest.mark.parametrize("encoding", ["idna", "punycode"])
def test_encodings_of_hosts_are_none_of_files(file: Path, encoding: str) -> None:
    file.write_bytes(b"caf\xe9\n")
    assert message(file, encoding).startswith(f"{file}: encoding: Python knows no encoding '{encoding}'\n")

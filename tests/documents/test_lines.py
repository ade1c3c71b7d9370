import io

import pytest
from document_reading import patient
from hypothesis import given
from wild_texts import texts

from hftoolkit.documents.lines import body_and_end, decoded_lines, line_starts, lines_of_text, one_line
from hftoolkit.errors import DataError


def decoded(data: bytes) -> list[str]:
    return list(decoded_lines(io.BufferedReader(io.BytesIO(data)), "doc"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("a", ["a"]),
        ("a\nb\r\n\nc", ["a\n", "b\r\n", "\n", "c"]),
        ("a\rb\r\rc", ["a\r", "b\r", "\r", "c"]),  # an old Mac's
        ("a\rb\nc\rd", ["a\rb\n", "c\rd"]),
        ("a\r", ["a\r"]),
        ("a\u2028b\x85\x0b\x0c\x1c\n", ["a\u2028b\x85\x0b\x0c\x1c\n"]),
    ],
)
def test_lines_keep_their_ends(text: str, lines: list[str]) -> None:
    assert list(lines_of_text(text)) == lines
    assert decoded(text.encode()) == lines


@patient
@given(texts)
def test_lines_put_together_are_the_text(text: str) -> None:
    assert "".join(lines_of_text(text)) == text
    assert "".join(decoded(text.encode())) == text
    assert ["".join(body_and_end(line)) for line in lines_of_text(text)] == list(lines_of_text(text))
    ends = [*line_starts(text)[1:], len(text)]
    assert "".join(text[start:end] for start, end in zip(line_starts(text), ends, strict=True)) == text
    assert "\n" not in one_line(text)


def test_lines_of_an_old_mac_that_are_longer_than_what_is_read_at_once() -> None:
    lines = ["x" * 100_000 + "\r", "y" * 70_000 + "\r", "z"]
    head = "a\r"
    assert decoded("".join([head, *lines]).encode()) == [head, *lines]


def test_a_byte_that_is_not_utf_8() -> None:
    with pytest.raises(DataError) as caught:
        decoded("é\n".encode() + b"ab\xff\n")
    assert str(caught.value) == "doc: line 2: byte 3 is not UTF-8\n  save the text as UTF-8 first"


def test_a_line_is_there_as_soon_as_it_is_written() -> None:
    chunks = [b"c\n", b"a\nb"]

    class Slow(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            chunk = chunks.pop()
            buffer[: len(chunk)] = chunk
            return len(chunk)

    assert next(decoded_lines(io.BufferedReader(Slow()), "doc")) == "a\n"
    assert len(chunks) == 1

r"""Subtitles, SRT and WebVTT: what is said in every cue; numbers, times, styles and tags stay.

The lines of a cue are one text, since sentences go over them; where two people speak, each line is a text of its own.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import unescape

from hftoolkit.documents.line_breaks import in_lines
from hftoolkit.documents.lines import body_and_end, one_line
from hftoolkit.documents.pieces import Mark, Part, Piece, Place, Text
from hftoolkit.documents.settings import Settings
from hftoolkit.documents.spans import Span, flowing, has_words, inner, paired, text_spans
from hftoolkit.errors import DataError

_Lines = list[tuple[int, str]]
"""Lines with their numbers."""

_SRT_TIME = re.compile(r"\s*\d{1,3}:\d{1,2}:\d{1,2}[,.:]\d{1,3}\s*-->\s*\d{1,3}:\d{1,2}:\d{1,2}[,.:]\d{1,3}")
_VTT_KEPT = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t]|$)")

_TURN = re.compile(
    r"(?:<[^<>]*>|\{\\[^{}]*\})*(?:<v[ \t.][^<>]*>[ \t]*|[ \t]*[-–—‐‑](?:[ \t]+(?=\S)|(?=[^\s\d–—‐‑-])))"
)
"""What stands before the words of one of several speakers."""


@dataclass(frozen=True)
class _Markup:
    """What is no language within a cue."""

    mark: re.Pattern[str]
    line_end: re.Pattern[str]
    """Which of the marks are only another way to write a line end."""

    read: Callable[[str], str]
    write: Callable[[str], str]


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\u00a0", "&nbsp;")


_SRT = _Markup(
    re.compile(
        r"""
          </?(?:i|b|u|s|em|strong|font|span|c|ruby|rt)\b[^<>]*> | <br\s*/?>
        | \{\\[^{}]*\} | \{[yYcCfFsSpPoO]:[^{}]*\} | \\[Nnh] | [♪♫]+
        """,
        re.VERBOSE | re.IGNORECASE,
    ),
    re.compile(r"<br.*|\\[Nn]", re.IGNORECASE),
    str,
    str,
)
_VTT = _Markup(
    re.compile(r"</?[A-Za-z][^<>]*> | </> | <\d[\d:.]*> | [♪♫]+", re.VERBOSE),
    re.compile(r"<br.*", re.IGNORECASE),
    unescape,
    _escape,
)


def srt_pieces(lines: Iterator[str], settings: Settings, name: str) -> Iterator[Piece]:
    """Cut an SRT file. A cue goes on until the next one, even over blank lines, which some programs leave within.

    Raises:
        DataError: If there is no cue in it.
    """
    held: _Lines = []
    cues, filled, line_end = 0, False, ""
    for number, line in enumerate(lines, 1):
        if _SRT_TIME.match(line):
            end = _end_of_cue(held)
            yield from _cue(held[:end], line_end, settings, _SRT)
            yield from (each for _, each in held[end:])
            yield line
            held, cues, line_end = [], cues + 1, body_and_end(line)[1]
        elif cues:
            held.append((number, line))
        else:
            filled = filled or bool(line.strip())
            yield line
    yield from _cue(held, line_end, settings, _SRT)
    if filled and not cues:
        raise _no_cue(name, "00:00:01,000 --> 00:00:04,000")


def vtt_pieces(lines: Iterator[str], settings: Settings, name: str) -> Iterator[Piece]:
    """Cut a WebVTT file.

    Raises:
        DataError: If there is neither a header nor a cue in it.
    """
    held: _Lines = []
    state, line_end = "between", ""
    known, filled = False, False
    for number, line in enumerate(lines, 1):
        body, end = body_and_end(line)
        line_end = end or line_end
        known = known or (number == 1 and body.startswith("WEBVTT")) or "-->" in body
        filled = filled or bool(body.strip())
        if state == "cue" and body and "-->" not in body:
            held.append((number, line))
            continue
        yield from _cue(held, line_end, settings, _VTT)
        yield line
        held = []
        if not body:
            state = "between"
        elif "-->" in body and state != "kept":
            state = "cue"
        elif state == "between":
            state = "kept" if _VTT_KEPT.match(body) else "header"
    yield from _cue(held, line_end, settings, _VTT)
    if filled and not known:
        raise _no_cue(name, "00:01.000 --> 00:04.000")


def _end_of_cue(held: _Lines) -> int:
    """Where the lines behind a time end that belong to its cue: before the number of the next one."""
    filled = [at for at, (_, line) in enumerate(held) if line.strip()]
    return filled[-1] if filled and held[filled[-1]][1].strip().isdecimal() else len(held)


def _cue(held: _Lines, line_end: str, settings: Settings, markup: _Markup) -> Iterator[Piece]:
    paragraph: _Lines = []
    for number, line in held:
        if line.strip():
            paragraph.append((number, line))
        else:
            yield from _turns(paragraph, line_end, settings, markup)
            yield line
            paragraph = []
    yield from _turns(paragraph, line_end, settings, markup)


def _turns(paragraph: _Lines, line_end: str, settings: Settings, markup: _Markup) -> Iterator[Piece]:
    dashes = [at for at, (_, line) in enumerate(paragraph) if _TURN.match(line)]
    several = len(dashes) > 1 or dashes == [0]
    starts = sorted({0, *dashes}) if several else [0]
    for start, end in zip(starts, [*starts[1:], len(paragraph)], strict=True):
        if end > start:
            raw = "".join(line for _, line in paragraph[start:end])
            dash = _TURN.match(raw) if several else None
            fill = partial(_filled, target=settings.target, line_end=line_end or "\n", write=markup.write)
            yield from _text(raw, dash.end() if dash else 0, fill, f"line {paragraph[start][0]}", markup)


def _text(raw: str, begin: int, fill: Callable[[Sequence[Text]], str], where: str, markup: _Markup) -> Iterator[Piece]:
    spans = paired(list(_spans(raw, begin, markup)))
    first, last = inner(spans)
    if not has_words(spans[first:last]):
        yield raw
        return
    start, end = spans[first].start, spans[last - 1].end
    if start:
        yield raw[:start]
    yield Place((flowing(span.part for span in spans[first:last]),), fill, raw[start:end], where)
    if raw[end:]:
        yield raw[end:]


def _spans(raw: str, begin: int, markup: _Markup) -> Iterator[Span]:
    for found in markup.mark.finditer(raw, begin):
        yield from _plain(raw, begin, found.start(), markup)
        mark = found.group()
        part: Part = "\n" if markup.line_end.fullmatch(mark) else Mark(mark)
        yield Span(found.start(), found.end(), part, loose=not mark.startswith("<"))
        begin = found.end()
    yield from _plain(raw, begin, len(raw), markup)


def _plain(raw: str, start: int, end: int, markup: _Markup) -> Iterator[Span]:
    for span in text_spans(start, raw[start:end]):
        yield Span(span.start, span.end, markup.read(str(span.part)))


def _filled(texts: Sequence[Text], target: str, line_end: str, write: Callable[[str], str]) -> str:
    text = [one_line(part) if isinstance(part, str) else part for part in texts[0]]
    return line_end.join(
        "".join(write(part) if isinstance(part, str) else part.text for part in line) for line in in_lines(text, target)
    )


def _no_cue(name: str, example: str) -> DataError:
    return DataError(f"{name}: no subtitle found: no line with times, such as {example}\n  name the format it has")

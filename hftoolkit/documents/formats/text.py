"""Plain text: every line is translated by itself; indentation, list markers and blank lines stay."""

import re
from collections.abc import Iterator, Sequence

from hftoolkit.documents.lines import body_and_end, one_line
from hftoolkit.documents.pieces import Piece, Place, Text, flat
from hftoolkit.documents.settings import Settings

_NUMERAL = "[一二三四五六七八九十百]"

_BEFORE = re.compile(
    rf"""
    \s* (?:>\s?)*                                       # quotation, as in mail
    (?:
        (?: [-*+•◦▪▫‣⁃●○■□◆◇★☆→·–—]                      # bullets
          | \(?\d{{1,3}}(?:\.\d{{1,3}}){{0,4}}[.)]      # 1.  1)  (1)  1.2.
          | \(?[A-Za-z]\) | [a-z]\. | \(?[ivx]{{1,4}}\) # a)  (a)  a.  iv)
        )
        (?=\s|$)
      | \d{{1,3}}、 | [(（] (?:\d{{1,3}}|{_NUMERAL}+) [)）] | [\u2460-\u249b]
      | (?:{_NUMERAL}+ | 第{_NUMERAL}+) 、 (?! {_NUMERAL} | 第)  # not the numerals of 三、四天
    )?
    \s*
    (?: \[[\ xX]\]\s+ )?                                # a box to tick
    """,
    re.VERBOSE,
)


def pieces(lines: Iterator[str], settings: Settings, name: str) -> Iterator[Piece]:
    """Cut plain text: every line that is more than blanks and a list marker is a place."""
    for number, line in enumerate(lines, 1):
        body, end = body_and_end(line)
        before = _BEFORE.match(body)
        start = before.end() if before else 0
        text = body[start:].rstrip()
        if not text:
            yield line
            continue
        if start:
            yield body[:start]
        yield Place(((text,),), _filled, text, f"line {number}")
        yield body[start + len(text) :] + end


def _filled(texts: Sequence[Text]) -> str:
    return one_line(flat(texts[0]))

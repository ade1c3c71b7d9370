"""Markdown: paragraphs, headings and cells of tables; code, addresses, HTML blocks and front matter stay.

The lines of a paragraph are one text, since sentences go over them, and its translation stands on one line.
"""

from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from hftoolkit.documents.lines import line_starts
from hftoolkit.documents.markdown_blocks import Block, blocks
from hftoolkit.documents.markdown_inline import spans_of
from hftoolkit.documents.markdown_writing import Surroundings, written
from hftoolkit.documents.pieces import Mark, Piece, Place, Text
from hftoolkit.documents.settings import Settings
from hftoolkit.documents.spans import Span, flowing, has_words, inner

_KEPT_ESCAPES = frozenset("$@|[]{}<>^~=:")
"""Characters that mean something to some readers of Markdown: where the file escapes one, so does what we write."""


def pieces(source: str, settings: Settings, name: str) -> Iterator[Piece]:
    """Cut a document."""
    starts = line_starts(source)
    found, env = blocks(source)
    done = 0
    for block in found:
        place = _place(block, source, env, f"line {bisect(starts, block.places[0])}")
        if place is None:
            continue
        if block.places[0] > done:
            yield source[done : block.places[0]]
        yield place
        done = block.places[-1]
    if done < len(source):
        yield source[done:]


def _place(block: Block, source: str, env: Mapping[str, Any], where: str) -> Place | None:
    spans = spans_of(block.content, env)
    first, last = inner(spans)
    if not has_words(spans[first:last]):
        return None
    in_file = [_in_file(span, block, source) for span in spans]
    around = Surroundings(
        kind=block.kind,
        lead=tuple(span.part for span in spans[:first]),
        tail=tuple(span.part for span in spans[last:]),
        begins_line=block.begins_line,
        escaped=frozenset(_escapes(block.content, spans)) & _KEPT_ESCAPES,
        contents={
            part.text: span.part.text
            for part, span in zip(in_file, spans, strict=True)
            if isinstance(part, Mark) and isinstance(span.part, Mark) and part.text != span.part.text
        },
        env=env,
    )
    fill = partial(
        _filled,
        lead=_raw(in_file[:first], spans[:first], block, source),
        tail=_raw(in_file[last:], spans[last:], block, source),
        around=around,
        labels=dict(_labels(block.content, spans)),
    )
    return Place((flowing(in_file[first:last]),), fill, source[block.places[0] : block.places[-1]], where)


def _in_file(span: Span, block: Block, source: str) -> str | Mark:
    """A part with its mark as the file has it, with what stands before each of its lines."""
    if isinstance(span.part, str) or span.part.text != block.content[span.start : span.end]:
        return span.part
    return Mark(block.raw(source, span.start, span.end))


def _raw(parts: Sequence[str | Mark], spans: Sequence[Span], block: Block, source: str) -> str:
    return "".join(
        part.text if isinstance(part, Mark) else block.raw(source, span.start, span.end)
        for part, span in zip(parts, spans, strict=True)
    )


def _escapes(content: str, spans: Sequence[Span]) -> Iterator[str]:
    for span in spans:
        if isinstance(span.part, str) and content[span.start : span.end] == f"\\{span.part}":
            yield span.part


def _labels(content: str, spans: Sequence[Span]) -> Iterator[tuple[str, str]]:
    """Links whose words are their label, as they are written with a label beside the words and as the file has them."""
    for span in spans:
        behind = content[span.start : span.end]
        if isinstance(span.part, Mark) and span.part.text != behind:
            words = f"[{span.part.text[2:-1]}"
            yield words + span.part.text, words + behind


def _filled(texts: Sequence[Text], lead: str, tail: str, around: Surroundings, labels: Mapping[str, str]) -> str:
    result = lead + written(texts[0], around) + tail
    for apart, together in labels.items():
        result = result.replace(apart, together)
    return result

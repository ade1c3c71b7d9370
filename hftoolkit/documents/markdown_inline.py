"""The text of a Markdown block -> its words and marks, as markdown-it-py reads them, each with its place."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.parser_inline import RuleFuncInlineType
from markdown_it.rules_inline import (
    StateInline,
    autolink,
    backtick,
    emphasis,
    entity,
    escape,
    html_inline,
    image,
    link,
    newline,
    strikethrough,
)
from markdown_it.token import Token

from hftoolkit.documents.pieces import Mark
from hftoolkit.documents.spans import Span, has_words, paired, text_spans

_ADDRESS = r"(?:https?://|ftp://|www\.)(?=\w)"
_KEPT = re.compile(
    rf"""
      \$\$.+?\$\$ | \$`.+?`\$ | \$(?![\s$])(?:\\.|[^$\\])+?(?<!\s)\$(?!\d)        # mathematics
    | \{{\{{.*?\}}\}} | \{{%.*?%\}} | \{{[:\#.][^{{}}\n]*\}}                      # templates, attributes
    | \[\^[^\]\s]+\] | \[\[[^\][\n]+\]\](?![\[(])                          # footnotes, pages of a wiki
    | (?<!\w):[a-z][a-z0-9_+-]*:(?!\w)                                             # emoji
    | {_ADDRESS}(?:[.,:;?!'*_~]*+(?:[\w/\#@$&+=%-]|\([^()\s]{{0,200}}\)))++       # addresses
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_PLAIN = re.compile(rf"(?:(?!{_ADDRESS})[^\n!#$%&*+\-:<=>@\[\\\]^_`{{}}~])+", re.ASCII)
_ELEMENT = re.compile(r"<(code|kbd|samp|pre|script|style|svg|math|textarea)\b", re.IGNORECASE)

_RULES: dict[str, RuleFuncInlineType] = {
    "newline": newline,
    "escape": escape,
    "backticks": backtick,
    "strikethrough": strikethrough.tokenize,
    "emphasis": emphasis.tokenize,
    "link": link,
    "image": image,
    "autolink": autolink,
    "html_inline": html_inline,
    "entity": entity,
}
"""Rules of markdown-it-py whose finds are looked at."""


@dataclass
class _Event:
    """What a rule has found."""

    rule: str
    start: int
    end: int
    tokens: list[Token]
    """What it made of it."""

    label_end: int = 0
    """Where the words of a link or an image end."""


class _State(StateInline):
    """Remembers where things were found, which tokens do not say."""

    def __init__(self, content: str, env: Mapping[str, Any]) -> None:
        super().__init__(content, _PARSER, dict(env), [])
        self.events: list[_Event] = []


def spans_of(content: str, env: Mapping[str, Any]) -> list[Span]:
    """Words and marks of a text, in order; of Markdown within the words of an image, too.

    A link whose words are its label gets the label as its target, so that the words can be translated.

    Args:
        content: The text of a block.
        env: What markdown-it-py keeps of the document's link references.
    """
    state = _State(content, env)
    _PARSER.inline.tokenize(state)
    for rule in _PARSER.inline.ruler2.getRules(""):
        rule(state)
    marks = sorted(_marks(content, env, state.events), key=lambda span: span.start)
    return paired(list(_whole_elements(content, list(_filled_up(content, marks)))))


def _marks(content: str, env: Mapping[str, Any], events: Sequence[_Event]) -> Iterator[Span]:
    delimiters: list[tuple[int, Token]] = []
    for event in events:
        raw = content[event.start : event.end]
        last = event.tokens[-1] if event.tokens else None
        if event.rule in ("emphasis", "strikethrough"):
            delimiters += _delimiters(event)
        elif event.rule == "link":
            yield from _link(content, event.start, event.start + 1, event)
        elif event.rule == "image":
            yield from _image(content, env, event)
        elif event.rule in ("autolink", "html_inline", "kept"):
            yield Span(event.start, event.end, Mark(raw), loose=raw.startswith("<!--"))
        elif last and last.type == "hardbreak":
            start = len(content[: event.start].rstrip(" "))
            yield Span(start, event.end, Mark(content[start : event.end]))
        elif last and last.type == "softbreak":
            yield Span(event.start, event.end, "\n")
        elif last and last.type == "code_inline":
            yield Span(event.start, event.end, Mark(raw))
        elif last and last.type == "text_special":
            yield Span(event.start, event.end, last.content)
    yield from _emphasis(content, delimiters)


def _delimiters(event: _Event) -> Iterator[tuple[int, Token]]:
    """Characters that may begin or end emphasis, two at a time where something is struck out."""
    length = event.end - event.start
    width = 1 if event.rule == "emphasis" else 2
    number = length // width
    yield from zip(range(event.end - number * width, event.end, width), event.tokens[-number:], strict=True)


def _emphasis(content: str, delimiters: Sequence[tuple[int, Token]]) -> Iterator[Span]:
    opened: list[tuple[int, int]] = []
    for at, token in sorted(delimiters, key=lambda each: each[0]):
        if token.nesting == 0:
            continue
        wide = token.type.startswith(("strong", "s_"))
        start = at - 1 if token.type == "strong_open" else at
        end = start + 2 if wide else start + 1
        if token.nesting > 0:
            opened.append((start, end))
            continue
        first, behind = opened.pop()
        yield Span(first, behind, Mark(content[first:behind]), partner=start)
        yield Span(start, end, Mark(content[start:end]), partner=first)


def _link(content: str, start: int, label: int, event: _Event) -> Iterator[Span]:
    """The marks around the words of a link."""
    behind = content[event.label_end : event.end]
    if behind in ("]", "][]"):
        behind = f"][{' '.join(content[label : event.label_end].split())}]"
    yield Span(start, label, Mark(content[start:label]), partner=event.label_end)
    yield Span(event.label_end, event.end, Mark(behind), partner=start)


def _image(content: str, env: Mapping[str, Any], event: _Event) -> Iterator[Span]:
    label = event.start + 2
    words = spans_of(content[label : event.label_end], env)
    if not has_words(words):
        yield Span(event.start, event.end, Mark(content[event.start : event.end]))
        return
    yield from _link(content, event.start, label, event)
    for span in words:
        partner = span.partner + label if span.partner is not None and span.partner >= 0 else span.partner
        yield replace(span, start=span.start + label, end=span.end + label, partner=partner)


def _filled_up(content: str, marks: Sequence[Span]) -> Iterator[Span]:
    """All of the content: the marks, and what is between them as it is."""
    done = 0
    for mark in marks:
        yield from text_spans(done, content[done : mark.start])
        yield mark
        done = mark.end
    yield from text_spans(done, content[done:])


def _whole_elements(content: str, spans: Sequence[Span]) -> Iterator[Span]:
    """The same spans, an element of code as one mark."""
    end = 0
    for place, span in enumerate(spans):
        if span.start < end:
            continue
        begins = _ELEMENT.match(span.part.text) if isinstance(span.part, Mark) else None
        closing = f"</{begins[1].lower()}" if begins else ""
        last = next((each for each in spans[place + 1 :] if begins and _starts(each, closing)), None)
        end = last.end if last else 0
        yield replace(span, end=end, part=Mark(content[span.start : end])) if last else span


def _starts(span: Span, tag: str) -> bool:
    return isinstance(span.part, Mark) and span.part.text.lower().startswith(tag)


def _recorded(name: str, rule: RuleFuncInlineType) -> RuleFuncInlineType:
    def recorded(state: StateInline, silent: bool) -> bool:
        start, known = state.pos, len(state.tokens)
        if not rule(state, silent):
            return False
        if not silent and isinstance(state, _State):
            event = _Event(name, start, state.pos, state.tokens[known:])
            if name == "link":
                event.label_end = state.md.helpers.parseLinkLabel(state, start, True)
            elif name == "image":
                event.label_end = state.md.helpers.parseLinkLabel(state, start + 1, False)
            state.events.append(event)
        return True

    return recorded


def _plain(state: StateInline, silent: bool) -> bool:
    found = _PLAIN.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.pending += found.group()
    state.pos = found.end()
    return True


def _keep(state: StateInline, silent: bool) -> bool:
    found = _KEPT.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.pending += found.group()
    state.pos = found.end()
    return True


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("strikethrough")
    ruler = parser.inline.ruler
    ruler.at("text", _plain)
    for name, rule in _RULES.items():
        ruler.at(name, _recorded(name, rule))
    ruler.before("text", "kept", _recorded("kept", _keep))
    parser.inline.ruler2.disable("fragments_join")
    return parser


_PARSER = _parser()

"""Markdown -> the blocks that hold text: paragraphs, headings and cells of tables, each with its place in the file.

CommonMark with tables as markdown-it-py reads it, and what people write besides: front matter, mathematics, footnotes,
definitions, admonitions, directives and attributes.
"""

import re
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from markdown_it import MarkdownIt
from markdown_it.parser_block import RuleFuncBlockType
from markdown_it.rules_block import StateBlock, heading, lheading, paragraph, reference, table
from markdown_it.token import Token

from hftoolkit.documents.lines import body_and_end, line_starts

_RULES: dict[str, RuleFuncBlockType] = {
    "table": table,
    "heading": heading,
    "lheading": lheading,
    "paragraph": paragraph,
}
"""Rules of markdown-it-py that find text."""

_CAN_INTERRUPT = {
    "table": ["paragraph", "reference"],
    "heading": ["paragraph", "reference", "blockquote"],
    "lheading": [],
    "paragraph": [],
}
"""What each of them can interrupt, as there."""

_INDENT = 4

_FRONT = re.compile(r"(---|\+\+\+)[ \t]*")
_BOX = re.compile(r"\[[ xX]\][ \t]+")

_KEPT_LINE = re.compile(
    r"""
      :{3,} .*                                                       # directives
    | \{%.*%\} | \{\{.*\}\} | \{[:\#.][^{}]*\}                       # templates, attributes
    | \[\[?_?TOC_?\]\]? | \[!\w+\][+-]? .*                           # table of contents, callouts
    | \\[a-zA-Z]+\*?(?:\{[^{}]*\}|\[[^\][]*\])*                      # commands of LaTeX
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MATHS = (
    (re.compile(r"\$\$(?!.*\$\$.*\S)"), re.compile(r".*\$\$\s*")),
    (re.compile(r"\\\[\s*$"), re.compile(r".*\\\]\s*")),
    (re.compile(r"\\begin\{"), re.compile(r".*\\end\{[^{}]*\}\s*")),
)
_ABOVE_INDENTED = re.compile(r"(?:(?:!!!|\?\?\?)\+?[ \t]+\S|===[+!]?[ \t]+\")")
"""The line above the indented text of an admonition or a tab."""

_BEFORE_TEXT = re.compile(r"(?:\[\^[^\]\s]+\]:|:(?=[ \t]))[ \t]*(?=\S)")
"""What stands before a footnote or a definition."""


@dataclass(frozen=True)
class Block:
    """A stretch of text within a document."""

    kind: Literal["paragraph", "heading", "cell"]

    content: str
    """Its text with markup, lines joined, without what stands before them in the file."""

    places: Sequence[int]
    """Where in the file each character of the content is written, and where the last one ends."""

    begins_line: bool = True
    """Whether nothing but blanks, marks of quotations and of list items stands before it."""

    def raw(self, source: str, start: int, end: int) -> str:
        """What the file has between two places of the content."""
        return source[self.places[start] : self.places[end]]


def blocks(source: str) -> tuple[list[Block], dict[str, Any]]:
    """The blocks of a document that hold text, and what markdown-it-py keeps of its link references."""
    starts = line_starts(source)
    bodies = [body_and_end(source[start:end])[0] for start, end in zip(starts, [*starts[1:], len(source)], strict=True)]
    front = _front_matter(bodies)
    text = "\n".join([*[""] * front, *bodies[front:]]).replace("\0", "\ufffd")
    begins = line_starts(text)

    def place(at: int) -> int:
        line = bisect(begins, at) - 1
        return starts[line] + at - begins[line]

    env: dict[str, Any] = {}
    return [replace(each, places=[place(at) for at in each.places]) for each in _found(text, env)], env


def is_one(content: str, kind: str) -> bool:
    """Whether a text is read as one block of its kind, all of it."""
    found = _found(f"# {content}" if kind == "heading" else content, {})
    return [(each.kind, each.content) for each in found] == [(kind, content)]


def _front_matter(lines: Sequence[str]) -> int:
    """How many lines the data at the head of a document takes."""
    opening = _FRONT.fullmatch(lines[0])
    if opening:
        closings = ("---", "...") if opening[1] == "---" else (opening[1],)
        for number, line in enumerate(lines[1:], 2):
            if line.rstrip() in closings:
                return number
    return 0


def _found(text: str, env: dict[str, Any]) -> list[Block]:
    env["blocks"] = []
    _PARSER.block.parse(text, _PARSER, env, [])
    found: list[Block] = env["blocks"]
    return [each for each in found if each.content]


def _recorded(name: str, rule: RuleFuncBlockType) -> RuleFuncBlockType:
    """A rule that keeps where the text lies that it finds, which is known only while it runs."""

    def recorded(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        known = len(state.tokens)
        if not rule(state, start, end, silent):
            return False
        if not silent:
            of_item = known > 0 and state.tokens[known - 1].type == "list_item_open"
            inline = [token for token in state.tokens[known:] if token.type == "inline"]
            finder = {"table": _cells, "heading": _heading}.get(name)
            state.env["blocks"] += finder(state, inline) if finder else [_paragraph(state, inline[0], of_item)]
        return True

    return recorded


def _paragraph(state: StateBlock, token: Token, of_item: bool) -> Block:
    characters: list[str] = []
    places: list[int] = []
    end = 0
    for line in range(*token.map or ()):
        start = state.bMarks[line] + state.tShift[line]
        if characters:
            characters.append("\n")
            places.append(end)
        end = state.eMarks[line]
        characters += state.src[start:end]
        places += range(start, end)
    content = "".join(characters).rstrip(" \t")
    box = _BOX.match(content) if of_item else None
    skipped = box.end() if box else 0
    places = [*places[: len(content)], places[len(content) - 1] + 1] if content else [end]
    return Block("paragraph", content[skipped:], places[skipped:], begins_line=not skipped)


def _heading(state: StateBlock, tokens: Sequence[Token]) -> list[Block]:
    (line, _), content = tokens[0].map or (0, 0), tokens[0].content
    start = state.src.index(content, state.skipCharsStr(state.bMarks[line] + state.tShift[line], "#"))
    return [Block("heading", content, range(start, start + len(content) + 1), begins_line=False)]


def _cells(state: StateBlock, tokens: Sequence[Token]) -> list[Block]:
    found = []
    rows: dict[int, list[Token]] = {}
    for token in tokens:
        rows.setdefault((token.map or [0])[0], []).append(token)
    for line, row in rows.items():
        start = state.bMarks[line] + state.tShift[line]
        cells = list(_split(state.src, start, state.eMarks[line]))
        if not cells[0].content.strip():
            cells.pop(0)
        # A row can have more cells than the table, or fewer.
        pairs = zip(cells, row, strict=False)
        found += [_trimmed(cell, token.content) for cell, token in pairs if token.content in cell.content]
    return found


def _split(source: str, start: int, end: int) -> Iterator[Block]:
    """The cells of a line, as markdown-it-py splits it: at pipes without a backslash, which others lose."""
    characters: list[str] = []
    places: list[int] = []
    begins_line = True
    for at in range(start, end):
        escaped = at > start and source[at - 1] == "\\"
        if source[at] == "|" and not escaped:
            yield Block("cell", "".join(characters), [*places, at], begins_line)
            characters, places, begins_line = [], [], False
            continue
        if source[at] == "|":
            characters.pop()
            places.pop()
        characters.append(source[at])
        places.append(at - (source[at] == "|"))
    yield Block("cell", "".join(characters), [*places, end], begins_line)


def _trimmed(cell: Block, content: str) -> Block:
    start = cell.content.index(content)
    return replace(cell, content=content, places=cell.places[start : start + len(content) + 1])


def _keep_line(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start) or not _KEPT_LINE.fullmatch(_line(state, start).rstrip()):
        return False
    if not silent:
        state.line = start + 1
    return True


def _keep_maths(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    line = _line(state, start)
    found = next(((opening.match(line), closing) for opening, closing in _MATHS if opening.match(line)), None)
    if state.is_code_block(start) or found is None:
        return False
    opening, closing = found
    rest = line[opening.end() :] if opening else line
    for number in range(start, end):
        if not state.isEmpty(number) and state.sCount[number] < state.blkIndent:
            return False
        if closing.fullmatch(rest if number == start else _line(state, number)):
            if not silent:
                state.line = number + 1
            return True
    return False


def _enter_indented(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start) or not _ABOVE_INDENTED.match(_line(state, start)):
        return False
    first = state.skipEmptyLines(start + 1)
    if first >= end or state.sCount[first] < state.blkIndent + _INDENT:
        return False
    if not silent:
        _enter(state, first, end)
    return True


def _enter_marked(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    before = _BEFORE_TEXT.match(_line(state, start))
    if state.is_code_block(start) or before is None:
        return False
    if not silent:
        shift, indent = state.tShift[start], state.sCount[start]
        state.tShift[start] += before.end()
        state.sCount[start] = state.blkIndent + _INDENT
        _enter(state, start, end)
        state.tShift[start], state.sCount[start] = shift, indent
    return True


def _enter(state: StateBlock, start: int, end: int) -> None:
    """Read what is indented from a line on."""
    parent, state.parentType = state.parentType, "list"
    state.blkIndent += _INDENT
    state.level += 1
    state.md.block.tokenize(state, start, end)
    state.level -= 1
    state.blkIndent -= _INDENT
    state.parentType = parent


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _define(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Definitions of links; not footnotes, and also right behind a paragraph, where they are meant as such, too."""
    return not _line(state, start).startswith("[^") and reference(state, start, end, silent)


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    ruler = parser.block.ruler
    ruler.at("reference", _define, {"alt": ["paragraph"]})
    for name, rule in _RULES.items():
        ruler.at(name, _recorded(name, rule), {"alt": _CAN_INTERRUPT[name]})
    for rule in (_keep_maths, _keep_line, _enter_indented, _enter_marked):
        ruler.before("table", rule.__name__, rule, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    return parser


_PARSER = _parser()

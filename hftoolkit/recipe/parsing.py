"""YAML 1.2 text to plain values, with the line of every key.

Only the data of YAML is read: mappings, lists and the scalars of the core schema. Anchors, tags and second documents
are problems, so that a recipe cannot build objects, refer to itself or grow while it is read. This stands on the
events of ruamel.yaml rather than on its constructors: events carry lines, and duplicate keys can be collected.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from hftoolkit.errors import Problem

KeyPath = tuple[str | int, ...]
Lines = dict[KeyPath, int | None]

DEEPEST = 40
"""Mappings and lists inside each other; no recipe needs a quarter of it."""

_INTEGER = re.compile(r"[-+]?[0-9]{1,400}|0o[0-7]{1,400}|0x[0-9a-fA-F]{1,400}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {"": None, "~": None}
for _word, _value in (("null", None), ("true", True), ("false", False)):
    _WORDS |= dict.fromkeys((_word, _word.capitalize(), _word.upper()), _value)

_PLAIN_WORDS = (
    (r"found character '(?:\\t|\t)'.*", "a tab; indent with blanks"),
    (r"found character '(.)' that cannot start.*", r"a text that begins with \1; put it in quotes"),
    (r"mapping values are not allowed.*", "a ':' where no key can stand; check the indentation, or quote the text"),
    (r"could not find expected ':'", "a line without ':'; expected 'key: value'"),
    (r"found unknown escape character '(.)'", r"\\\1 in double quotes; write \\\\\1, or take single quotes"),
    (r"found unexpected end of stream", "a quote that is not closed"),
    (r"expected ',' or '(.)'.*", r"a bracket that is not closed; expected ',' or '\1'"),
    (r"expected the node content, but found '<stream end>'", "the text ends where a value is expected"),
    (r"expected <block end>.*", "an indentation that fits nothing above it"),
)
_SEEN_LATER = re.compile(r"could not find expected ':'|found unexpected end of stream|expected ',' or .*")
"""Mistakes noticed only behind the place where they were made, which is where the part began."""


class _TooDeep(Exception):
    """Stops the reading at once: the time the scanner needs grows with the square of the depth."""


@dataclass
class Parsed:
    """What a text says, and where."""

    value: Any = None
    """Dicts with text keys, lists, text, numbers, true, false and None."""

    lines: Lines = field(default_factory=lambda: {(): 1})
    """Line of every key and list entry, from 1; the empty path is the whole."""

    problems: list[Problem] = field(default_factory=list)
    """What is not YAML, and what is more of YAML than a recipe may use."""

    broken: bool = False
    """The text broke off at a mistake: `value` is not what was meant."""


def parse(text: str) -> Parsed:
    """Read one YAML document; what is wrong stands in ``problems``, nothing is raised."""
    parsed = Parsed()
    try:
        _read(YAML(typ="safe", pure=True).parse(text), parsed)
    except MarkedYAMLError as error:
        message = str(error.problem or error.context)
        begun = error.context_mark if _SEEN_LATER.fullmatch(message) else None
        mark = begun or error.problem_mark or error.context_mark
        _break_off(parsed, mark.line + 1 if mark else 1, _in_plain_words(message))
    except YAMLError as error:
        # A ReaderError, which knows the place of the character but not its line.
        position = getattr(error, "position", 0)
        what = f"the character {text[position : position + 1]!a} is not text"
        _break_off(parsed, text.count("\n", 0, position) + 1, what)
    except _TooDeep:
        parsed.broken = True
    except (ValueError, OverflowError):
        # "\UFFFFFFFF" in double quotes: ruamel asks Python for a character that Unicode does not have.
        _break_off(parsed, 1, "an escape in double quotes that is no character")
    return parsed


def scalar(word: str) -> Any:
    """Give an unquoted word its value in YAML 1.2: ``2e-5`` is a number, ``no`` is text."""
    if word in _WORDS:
        return _WORDS[word]
    if _INTEGER.fullmatch(word):
        return int(word, {"0o": 8, "0x": 16}.get(word[:2], 10))
    if _FLOAT.fullmatch(word):
        return float(re.sub(r"\.(?=[inIN])", "", word))
    return word


def not_text(text: str) -> str | None:
    """Say what keeps a text from being written to a file or used as a name; None if nothing does."""
    if "\0" in text:
        return "a text with the character NUL in it"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "a text with half a character in it (a lone surrogate)"
    return None


def dotted(path: KeyPath) -> str:
    """Write a path as ``data.train.0.source``, in one line whatever a key has in it."""
    steps = (str(step) for step in path)
    return ".".join(step if step.isprintable() and step == step.strip() else repr(step) for step in steps)


def _break_off(parsed: Parsed, line: int, what: str) -> None:
    parsed.problems.append(Problem(line, "", f"not YAML: {what}"))
    parsed.broken = True


def _in_plain_words(message: str) -> str:
    for pattern, words in _PLAIN_WORDS:
        match = re.fullmatch(pattern, message)
        if match:
            return match.expand(words)
    return message


def _read(events: Iterator[Event], parsed: Parsed) -> None:
    documents = 0
    for event in events:
        if not isinstance(event, DocumentStartEvent):
            continue
        documents += 1
        line = event.start_mark.line + 1
        if event.version not in (None, (1, 2)):
            parsed.problems.append(Problem(line, "", "a recipe is YAML 1.2; leave the %YAML line out"))
        if documents == 2:
            parsed.problems.append(Problem(line, "", "a second document begins ('---'); a recipe is one"))
            return
        first = next(events)
        parsed.lines[()] = first.start_mark.line + 1
        parsed.value = _node(first, events, (), parsed)


def _node(event: Event, events: Iterator[Event], path: KeyPath, parsed: Parsed) -> Any:
    """Build the value that begins with ``event``; the line of ``path`` is the caller's to note."""
    _refuse_more_than_data(event, path, parsed)
    if isinstance(event, ScalarEvent):
        wrong = not_text(event.value)
        if wrong:
            parsed.problems.append(Problem(event.start_mark.line + 1, dotted(path), wrong))
            return None
        return scalar(event.value) if event.style is None else event.value
    if isinstance(event, AliasEvent):
        return None
    if len(path) >= DEEPEST:
        message = f"more than {DEEPEST} mappings and lists inside each other"
        parsed.problems.append(Problem(event.start_mark.line + 1, dotted(path[:1]), message))
        raise _TooDeep
    return _mapping(events, path, parsed) if isinstance(event, MappingStartEvent) else _list(events, path, parsed)


def _refuse_more_than_data(event: Event, path: KeyPath, parsed: Parsed) -> None:
    line = event.start_mark.line + 1
    if isinstance(event, NodeEvent) and event.anchor is not None:
        message = "anchors (&) and aliases (*) are not read in a recipe; write the value out, or put it in quotes"
        parsed.problems.append(Problem(line, dotted(path), message))
    if isinstance(event, ScalarEvent | CollectionStartEvent) and event.tag is not None:
        message = "tags (!) are not read in a recipe; leave it out, or put the value in quotes"
        parsed.problems.append(Problem(line, dotted(path), message))


def _mapping(events: Iterator[Event], path: KeyPath, parsed: Parsed) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for event in events:
        if isinstance(event, MappingEndEvent):
            break
        line = event.start_mark.line + 1
        if not isinstance(event, ScalarEvent) or not event.value or not_text(event.value):
            parsed.problems.append(Problem(line, dotted(path), "expected a name in front of the ':'"))
            _node(event, events, (*path, "?"), parsed)
            _node(next(events), events, (*path, "?"), parsed)
            continue
        key = event.value  # as it is written: a test set may be called 2014
        here = (*path, key)
        _refuse_more_than_data(event, here, parsed)
        if key in found:
            message = f"this key stands on line {parsed.lines[here]} already"
            parsed.problems.append(Problem(line, dotted(here), message))
        parsed.lines[here] = line
        found[key] = _node(next(events), events, here, parsed)
    return found


def _list(events: Iterator[Event], path: KeyPath, parsed: Parsed) -> list[Any]:
    found: list[Any] = []
    for event in events:
        if isinstance(event, SequenceEndEvent):
            break
        here = (*path, len(found))
        parsed.lines[here] = event.start_mark.line + 1
        found.append(_node(event, events, here, parsed))
    return found

"""Words in columns, one a line, a blank line after every sentence: CoNLL-2003 and all that look like it, and CoNLL-U.

A tab in the first word's line says that tabs separate columns, else blanks do. A ``#`` is a word like any other, but
before a sentence, followed by what only comments say: ``# id 7f3a domain=train``, ``# sent_id = 12``.
"""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from hftoolkit.data.sources.columns import missing_column, wanted
from hftoolkit.data.sources.lines import BadLines, bare, read_lines
from hftoolkit.data.sources.reading import Raw, Reading
from hftoolkit.errors import DataError

Sentence = list[tuple[int, list[str]]]
"""Number of every word's line, and its fields."""

_ADVICE: Final = "all lines have the same columns, separated by tabs or by blanks; a blank line ends a sentence"
_ADVICE_CONLLU: Final = "a line of CoNLL-U has 10 columns, separated by tabs; a blank line ends a sentence"
_COMMENT: Final = re.compile(r"# +(?:(?:id|newdoc|newpar)(?: |$)|[\w.]+ *=)")
_FIELDS_CONLLU: Final = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
_DEFAULT_CONLLU: Final = {"words": "FORM", "tags": "UPOS"}
_BLANKS: Final = re.compile(r"[ \t]+")

_PLACED: Final = re.compile(r"(\D+|\d)(\d+)", re.DOTALL)
"""A character and its place in a segmented word: Weibo NER has 科0 技1 for 科技."""

_TOLD_BY: Final = 20
"""Words after which it is told whether all are so."""


def read(path: Path, reading: Reading) -> Iterator[Raw]:
    """Sentences of a file of columns, each row a list for every role; without ``columns``, the first one are the words
    and the last one the tags."""
    bad = BadLines(path, _ADVICE)
    sentences = _sentences(_words_of(path, reading, bad))
    first = next(sentences, [])
    if first:
        positions = _by_number(path, reading, len(first[0][1]))
        rows = _rows(chain([first], sentences), positions, path, bad)
        yield from _without_places(rows, path, reading, bad) if "words" in positions else rows
    bad.check()


def read_conllu(path: Path, reading: Reading) -> Iterator[Raw]:
    """Sentences of a CoNLL-U file: its syntactic words, of which the tokens 1-2 and the empty words 1.1 are none."""
    bad = BadLines(path, _ADVICE_CONLLU)
    positions = _by_name(path, reading)
    for raw in _rows(_sentences(_words_of_conllu(path, reading, bad)), positions, path, bad):
        if "_" in raw[0].get("tags", ()):
            reading.count("sentences with words that have no tag but '_'", f"{raw[1]} {raw[2]}")
        yield raw
    bad.check()


_Line = tuple[int, list[str]]
"""Number of a line and its fields; none where it ends a sentence."""


def _words_of(path: Path, reading: Reading, bad: BadLines) -> Iterator[_Line]:
    width, tabs, inside = 0, False, False
    for number, text in _lines(path, reading):
        if not text.strip(" \t") or text.startswith("-DOCSTART-"):
            if text.startswith("-"):
                reading.count("-DOCSTART- lines, each the start of a document")
            inside = False
            yield number, []
        elif not inside and _COMMENT.match(text):
            reading.count("comments")
        else:
            if not width:
                tabs = "\t" in text.strip(" \t")
            fields = _BLANKS.split(text.strip(" \t")) if not tabs else _tab_separated(text)
            width = width or len(fields)
            inside = True
            if len(fields) == width:
                yield number, fields
            else:
                bad.add(number, f"{len(fields)} {'column' if len(fields) == 1 else 'columns'}, expected {width}")


def _words_of_conllu(path: Path, reading: Reading, bad: BadLines) -> Iterator[_Line]:
    for number, text in _lines(path, reading):
        if not text.strip(" \t"):
            yield number, []
        elif not text.startswith("#"):
            fields = text.split("\t")
            if len(fields) != len(_FIELDS_CONLLU):
                bad.add(number, f"{len(fields)} {'column' if len(fields) == 1 else 'columns'}, expected 10")
            elif fields[0].isdecimal():
                yield number, fields
            elif re.fullmatch(r"\d+-\d+", fields[0]):
                reading.count("tokens of several words, in whose place the words are read")
            elif re.fullmatch(r"\d+\.\d+", fields[0]):
                reading.count("empty words, which stand in no text, left out")
            else:
                bad.add(number, f"expected the number of a word, got {fields[0]!r:.40}")


def _lines(path: Path, reading: Reading) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(read_lines(path, reading.source.encoding, reading), 1):
        text = bare(line)
        if text.startswith("\ufeff"):
            reading.count("byte order marks inside a file, left out", f"{path}: line {number}")
            text = text.lstrip("\ufeff")
        yield number, text


def _tab_separated(text: str) -> list[str]:
    """The fields of a line; blanks around them are none of them, but a word may be a blank."""
    word, *others = text.split("\t")
    return [word.strip(" ") or word, *(other.strip(" ") for other in others)]


def _sentences(lines: Iterator[_Line]) -> Iterator[Sentence]:
    sentence: Sentence = []
    for number, fields in lines:
        if fields:
            sentence.append((number, fields))
        elif sentence:
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _rows(sentences: Iterator[Sentence], positions: dict[str, int], path: Path, bad: BadLines) -> Iterator[Raw]:
    place = f"{path}: line"
    for sentence in sentences:
        for number, fields in sentence:
            empty = next((at for at in positions.values() if not fields[at]), None)
            if empty is not None:
                bad.add(number, f"column {empty + 1} is empty")
        yield {role: [fields[at] for _, fields in sentence] for role, at in positions.items()}, place, sentence[0][0]


def _without_places(rows: Iterator[Raw], path: Path, reading: Reading, bad: BadLines) -> Iterator[Raw]:
    """Rows without the places that segmented words leave at each character, where all words of the file have one."""
    head: list[Raw] = []
    for raw in rows:
        head.append(raw)
        if sum(len(row["words"]) for row, _, _ in head) >= _TOLD_BY:
            break
    words = [row["words"] for row, _, _ in head]
    if not all(map(_are_placed, words)) or all(word.endswith("0") for word in chain(*words)):
        yield from chain(head, rows)
        return
    reading.note(path, "has characters with their places in segmented words (科0 技1): the places are left out")
    for row, place, number in chain(head, rows):
        found = [_PLACED.fullmatch(word) for word in row["words"]]
        for at, match in enumerate(found):
            if match is None:
                bad.add(number + at, f"expected a character and its place in a word, got {row['words'][at]!r:.40}")
        row["words"] = [match[1] for match in found if match]
        yield row, place, number


def _are_placed(words: list[str]) -> bool:
    """Whether all words are a character and a number that counts up from 0."""
    last = -1
    for word in words:
        found = _PLACED.fullmatch(word)
        if found is None or len(found[1]) > 1 or int(found[2]) not in (0, last + 1):
            return False
        last = int(found[2])
    return True


def _by_number(path: Path, reading: Reading, width: int) -> dict[str, int]:
    """Which column holds which role, from 0."""
    usual = {"words": 1, "tags": width}
    positions = {}
    for role, column in wanted(reading.source, reading.roles).items():
        number = column if role in reading.source.columns else usual.get(role, column)
        if not isinstance(number, int):
            raise DataError(
                f"{path}: columns: {role}: {column!r} is no number, but columns have no names in this format\n"
                f"  give its number from 1:  columns: {{words: 1, tags: {width}}}"
            )
        if number > width:
            raise DataError(
                f"{path}: columns: {role}: no column {number}; the first line has {width}\n"
                "  columns count from 1; tabs separate them, or blanks"
            )
        positions[role] = number - 1
    if "tags" in positions and positions.get("words") == positions["tags"]:
        raise DataError(
            f"{path}: words and tags are both in column {positions['tags'] + 1}; the first line has {width}\n"
            "  say which are the tags:  columns: {words: 1, tags: 2}"
        )
    return positions


def _by_name(path: Path, reading: Reading) -> dict[str, int]:
    """The same for CoNLL-U, whose columns have names."""
    columns = {
        role: column if role in reading.source.columns else _DEFAULT_CONLLU.get(role, role)
        for role, column in wanted(reading.source, reading.roles).items()
    }
    positions = {}
    for role, column in columns.items():
        if isinstance(column, int) and column <= len(_FIELDS_CONLLU):
            positions[role] = column - 1
        elif column in _FIELDS_CONLLU:
            positions[role] = _FIELDS_CONLLU.index(column)
        else:
            raise missing_column(str(path), str(column), columns, _FIELDS_CONLLU)
    return positions

"""Terms that have one translation: where a text has them, and whether its translation does."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hftoolkit.documents.lines import decoded_lines
from hftoolkit.documents.marks import joined
from hftoolkit.documents.pieces import Part, Text
from hftoolkit.documents.protection import Found
from hftoolkit.documents.scripts import UNSPACED, is_unspaced
from hftoolkit.errors import DataError

_WORD = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])\w)+|\S")
_NO_WORD_GOES_ON = rf"(?!(?![{UNSPACED}])\w)"
_HEADER = ["source", "target"]
_SHOWN = 5


@dataclass(frozen=True)
class Term:
    """A term and its translation."""

    source: str
    target: str


@dataclass(frozen=True)
class Glossary:
    """Terms, found in texts without looking for each of them.

    A term is found as whole words, in the glossary's form; small letters and capitals are the same, but not where it
    has capitals behind its first letter, as ``GPU`` has. Of terms that overlap the first is found, then the longest.
    """

    terms: tuple[Term, ...]
    """With different sources."""

    def terms_in(self, source: str) -> list[Term]:
        """The terms that a text has, each once, in the text's order."""
        return list(dict.fromkeys(term for _, _, term in self._places(source)))

    def broken(self, source: str, translation: str) -> list[tuple[str, str]]:
        """The terms of a text whose translations its translation does not have, each with the one that is wanted.

        A term within a longer word counts, since languages inflect; white space and capitals do not matter.
        """
        there = _bare(translation)
        return [(term.source, term.target) for term in self.terms_in(source) if _bare(term.target) not in there]

    def apply(self, text: Text) -> Text:
        """A text in which every term is a mark that says its translation, and so is kept by whatever keeps marks."""
        return joined(part for each in text for part in (self._parts(each) if isinstance(each, str) else (each,)))

    def _parts(self, text: str) -> Iterator[Part]:
        done = 0
        for start, end, term in self._places(text):
            yield text[done:start]
            yield Found(term.target)
            done = end
        yield text[done:]

    @cached_property
    def _by_first_word(self) -> dict[str, list[tuple[re.Pattern[str], Term]]]:
        found: dict[str, list[tuple[re.Pattern[str], Term]]] = {}
        for term in sorted(self.terms, key=lambda term: len(term.source), reverse=True):
            first = _WORD.findall(term.source)[0].casefold()
            found.setdefault(first, []).append((_pattern(term.source), term))
        return found

    def _places(self, text: str) -> Iterator[tuple[int, int, Term]]:
        done = 0
        for word in _WORD.finditer(text):
            if word.start() < done:
                continue
            for pattern, term in self._by_first_word.get(word[0].casefold(), ()):
                found = pattern.match(text, word.start())
                # Vowel signs of India are no letters to regular expressions.
                if found and not unicodedata.category(text[found.end() : found.end() + 1] or " ").startswith("M"):
                    yield found.start(), found.end(), term
                    done = found.end()
                    break


def read_glossary(path: Path) -> Glossary:
    """Terms from a TSV file: in every line a term, a tab, its translation.

    The file is UTF-8. Blank lines, those that begin with ``#`` and a header ``source``, ``target`` are passed over.

    Raises:
        DataError: If it cannot be read, has no terms, or has lines that do not fit: too few or too many columns, an
            empty side, a term that another line translates in another way.
    """
    bad: list[str] = []
    terms: dict[str, tuple[int, Term]] = {}
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed by whoever reads the last line
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}\n  check the name of the file") from error
    begun = False
    for number, line in enumerate(decoded_lines(file, str(path)), 1):
        cells = [cell.strip() for cell in line.removeprefix("\ufeff").rstrip("\r\n").split("\t")]
        if not any(cells) or cells[0].startswith("#"):
            continue
        is_header = not begun and [cell.lower() for cell in cells] == _HEADER
        begun = True
        if is_header:
            continue
        if len(cells) != 2:
            bad.append(f"line {number}: found {len(cells)} column{'s' * (len(cells) > 1)}, expected 2")
        elif not all(cells):
            said = f"{cells[0]!r} has no translation" if cells[0] else f"{cells[1]!r} is of no term"
            bad.append(f"line {number}: {said}")
        else:
            term = Term(*cells)
            before, other = terms.setdefault(_key(term.source), (number, term))
            if other.target != term.target:
                bad.append(
                    f"line {number}: {term.source!r} is {term.target!r} here and {other.target!r} in line {before}"
                )
    if bad:
        raise _unfit(path, bad)
    if not terms:
        raise DataError(f"{path}: no terms in this file\n  write one in each line: the term, a tab, its translation")
    return Glossary(tuple(term for _, term in terms.values()))


def _unfit(path: Path, bad: list[str]) -> DataError:
    """The error for a file with lines that do not fit: all are counted, the first ones shown."""
    advice = "a line has a term, a tab and its translation"
    if len(bad) == 1:
        return DataError(f"{path}: {bad[0]}\n  {advice}")
    more = [f"and {len(bad) - _SHOWN} more"] if len(bad) > _SHOWN else []
    return DataError("\n  ".join([f"{path}: {len(bad)} lines do not fit", *bad[:_SHOWN], *more, advice]))


def _pattern(source: str) -> re.Pattern[str]:
    """What finds a term from its first letter on."""
    words = r"\s+".join(re.escape(word) for word in source.split())
    is_word = source[-1].isalnum() and not is_unspaced(source[-1])
    return re.compile(words + (_NO_WORD_GOES_ON if is_word else ""), 0 if _has_capitals(source) else re.IGNORECASE)


def _key(source: str) -> str:
    """The same for terms that are found in the same places."""
    words = " ".join(source.split())
    return words if _has_capitals(source) else words.lower()


def _has_capitals(source: str) -> bool:
    return any(character.isupper() for character in source[1:])


def _bare(text: str) -> str:
    return "".join(text.casefold().split())

"""Gettext PO: entries without a translation, or with a fuzzy one, are filled.

What is filled becomes fuzzy, until a person has read it, and gets the comment ``# machine-translated by hftoolkit``. It
is wrapped at 79 columns, as gettext does it. What a fuzzy translation was made for (``#| msgid``) goes with it. The
header, obsolete entries (``#~``) and finished ones stay as they are. Of plural forms those that are empty are filled:
the one for the number one from the singular, the others from the plural.
"""

import gettext
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from hftoolkit.documents.pieces import Mark, Piece, Place, Text, flat
from hftoolkit.documents.protection import protect
from hftoolkit.documents.settings import Settings
from hftoolkit.errors import DataError

SIGNED = "# machine-translated by hftoolkit"
"""The comment at what was filled."""

_STRINGS = r'(?:\s*+"(?:[^"\\\n]|\\[^\n])*+")++'
_BODY = re.compile(
    rf"""
    ^[ \t]*+ (?: (?P<context> msgctxt {_STRINGS}) \s*+ )?
    msgid (?P<singular> {_STRINGS}) \s*+
    (?: msgid_plural (?P<plural> {_STRINGS}) \s*+ )?
    (?P<forms> msgstr {_STRINGS} | msgstr\[\d{{1,3}}\] {_STRINGS} (?: \s*+ msgstr\[\d{{1,3}}\] {_STRINGS} )*+ )
    [^\S\n]*+ (?: \n | \Z )
    """,
    re.VERBOSE | re.MULTILINE,
)
_FORM = re.compile(rf"msgstr(?:\[(\d{{1,3}})\])?({_STRINGS})")
_STRING = re.compile(r'"((?:[^"\\\n]|\\[^\n])*+)"')
_COMMENTS = re.compile(r"(?:^[ \t]*+#(?!~)[^\n]*+\n)*+\Z", re.MULTILINE)
_STRAY = re.compile(r'^(?!\s*#|\s*domain\s*"|[^\S\n]*$).*', re.MULTILINE)

_TRANSLATORS = re.compile(r"(?:[ \t]*+#(?![.:,|=])[^\n]*+\n)*+")
_FLAGS = re.compile(r"^([ \t]*+#,)(.*)", re.MULTILINE)
_PREVIOUS = re.compile(r"^[ \t]*+#\|[^\n]*+\n", re.MULTILINE)

_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))")
_CHARACTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", '"': '"', "\\": "\\"}
_ESCAPED = {ord(character): f"\\{letter}" for letter, character in _CHARACTERS.items()}

_RULE = re.compile(r"nplurals\s*=\s*(\d{1,2})\s*;\s*plural\s*=\s*([^;\n]+)")
_MOST_FORMS = 10  # Arabic has six
_COUNTED = 200  # numbers that a plural rule is tried on

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_COLUMNS = 79

_ONE, _LIKE_ONE, _MANY = "one", "like one", "many"


def pieces(text: str, settings: Settings, name: str) -> Iterator[Piece]:
    """The pieces of a PO file; an entry, from its comments to its last line, is one place.

    Args:
        text: The file.
        settings: Whether all entries are translated.
        name: What the file is called in messages.

    Raises:
        DataError: If it is not PO.
    """
    # Old Macs ended lines with a carriage return alone. What is searched is as long as the text: places are the same.
    searched = text if "\n" in text else text.replace("\r", "\n")
    rule: tuple[str, ...] = ()
    yielded = end = 0
    line = 1
    for body in _BODY.finditer(searched):
        between = searched[end : body.start()]
        _check(between, line, name)
        line += between.count("\n")
        end = body.end()
        found = _COMMENTS.search(between)
        entry = _Entry(found[0] if found else "", body, rule)
        if entry.is_header():
            rule = _rule(_unescaped(body["forms"]))
        elif todo := entry.todo(settings.all_entries):
            start = body.start() - len(entry.comments)
            if start > yielded:
                yield text[yielded:start]
            texts = tuple(dict.fromkeys(todo.values()))
            kept = text[start:end]
            fill = partial(entry.filled, todo, texts, kept)
            yield Place(tuple((each,) for each in texts), fill, kept, f"line {line}")
            yielded = end
        line += body[0].count("\n")
    _check(searched[end:], line, name)
    if yielded < len(text):
        yield text[yielded:]


@dataclass(frozen=True)
class _Entry:
    comments: str
    """The lines above it."""

    body: re.Match[str]
    """The rest."""

    rule: tuple[str, ...]
    """What the file's header says of plural forms, as `_rule` has it."""

    def is_header(self) -> bool:
        return not self.body["context"] and not _unescaped(self.body["singular"])

    def todo(self, everything: bool) -> dict[int | None, str]:
        """The forms that want a translation, by number, each with the text that is translated; None: no plural."""
        forms = self._forms()
        wanted = everything or "fuzzy" in self._flags()
        return {
            number: source
            for number, source in self._sources().items()
            if source and (wanted or not _unescaped(forms.get(number, "")))
        }

    def filled(self, todo: dict[int | None, str], texts: Sequence[str], kept: str, translations: Sequence[Text]) -> str:
        """The entry with translations of the texts."""
        translated = dict(zip(texts, translations, strict=True))
        forms = self._forms()
        end = "\r\n" if "\r\n" in kept else "\n"
        singular = _unescaped(self.body["singular"])
        written = []
        for number in self._sources():
            name = "msgstr" if number is None else f"msgstr[{number}]"
            if number in todo:
                text = _edged(flat(translated[todo[number]]), singular)
                written += _written(name, text, wrapped="no-wrap" not in self._flags())
            else:
                written.append(name + forms.get(number, ' ""'))
        body, start = self.body[0], self.body.start()
        before, after = body[: self.body.start("forms") - start], body[self.body.end("forms") - start :]
        entry = self._comments(end) + before + end.join(written) + after
        return entry if "\n" in kept else entry.replace("\n", "\r" if "\r" in kept else "\n")

    def _forms(self) -> dict[int | None, str]:
        """The strings of every msgstr by its number, as they are in the file."""
        return {int(number) if number else None: strings for number, strings in _FORM.findall(self.body["forms"])}

    def _sources(self) -> dict[int | None, str]:
        """Every form that there should be, and what it is translated from."""
        singular, plural = _unescaped(self.body["singular"]), _unescaped(self.body["plural"] or "")
        forms = self._forms()
        if None in forms:
            return {None: singular}
        numbers = sorted({*range(len(self.rule)), *(number for number in forms if number is not None)})
        same = _placeholders(singular) == _placeholders(plural)
        rule = self.rule or ((_ONE, _MANY) if len(numbers) > 1 else ())
        sources: dict[int | None, str] = {}
        for number in numbers:
            kind = rule[number] if number < len(rule) else _MANY
            sources[number] = singular if kind == _ONE or (kind == _LIKE_ONE and same) else plural or singular
        return sources

    def _flags(self) -> set[str]:
        return {flag.strip() for _, flags in _FLAGS.findall(self.comments) for flag in flags.split(",")}

    def _comments(self, end: str) -> str:
        """The comments of the entry once it is filled."""
        comments = _PREVIOUS.sub("", self.comments)
        if SIGNED not in comments:
            found = _TRANSLATORS.match(comments)
            at = found.end() if found else 0
            comments = f"{comments[:at]}{SIGNED}{end}{comments[at:]}"
        if "fuzzy" in self._flags():
            return comments
        flags = _FLAGS.search(comments)
        if flags:
            return f"{comments[: flags.end(1)]} fuzzy,{comments[flags.end(1) :]}"
        return f"{comments}#, fuzzy{end}"


def _rule(header: str) -> tuple[str, ...]:
    """For every plural form whether it is the one for 1 alone, for 1 and few others (0, 21), or not for 1.

    Empty where the header does not say.
    """
    found = _RULE.search(header)
    count = int(found[1]) if found else 0
    if found is None or not 1 <= count <= _MOST_FORMS:
        return ()
    try:
        form = gettext.c2py(found[2])
        forms = [form(number) for number in range(_COUNTED)]
    except (ValueError, ZeroDivisionError):
        return ()
    kinds = [_MANY] * count
    if forms[1] < count and forms.count(forms[1]) < _COUNTED / 2:
        kinds[forms[1]] = _ONE if forms.count(forms[1]) == 1 else _LIKE_ONE
    return tuple(kinds)


def _placeholders(text: str) -> list[str]:
    return sorted(part.text for part in protect((text,)) if isinstance(part, Mark))


def _edged(text: str, like: str) -> str:
    """A text that begins and ends with the same line feeds as another one: gettext demands it."""
    body, other = text.strip("\n"), like.strip("\n")
    if not body or not other:
        return text
    start = like.index(other)
    return like[:start] + body + like[start + len(other) :]


def _written(name: str, text: str, *, wrapped: bool) -> list[str]:
    """The lines of a statement."""
    from translate.storage.pypo import PoWrapper

    if wrapped:
        lines = PoWrapper(_COLUMNS - len('""')).wrap(text.translate(_ESCAPED))
    else:
        lines = [line.translate(_ESCAPED) for line in _LINE.findall(text)]
    if not lines:
        return [f'{name} ""']
    if len(lines) == 1 and (not wrapped or _width(f'{name} "{lines[0]}"') <= _COLUMNS):
        return [f'{name} "{lines[0]}"']
    return [f'{name} ""', *(f'"{line}"' for line in lines)]


def _width(line: str) -> int:
    """Columns that a line takes; Chinese characters take two."""
    return sum(1 + (unicodedata.east_asian_width(character) in "FW") for character in line)


def _unescaped(strings: str) -> str:
    """What one or more strings in quotation marks say."""
    return "".join(_ESCAPE.sub(_character, string) for string in _STRING.findall(strings))


def _character(escape: re.Match[str]) -> str:
    hexadecimal, octal, letter = escape.groups()
    if letter:
        return _CHARACTERS.get(letter, escape[0])
    number = int(hexadecimal, 16) if hexadecimal else int(octal, 8)
    return chr(number) if number < 128 else escape[0]  # a byte of whatever encoding the file has


def _check(between: str, line: int, name: str) -> None:
    """Refuse what is between entries and is neither blank nor a comment."""
    stray = _STRAY.search(between)
    if stray:
        found = stray[0].strip()
        raise DataError(
            f"{name}: line {line + between.count(chr(10), 0, stray.start())}: not PO: "
            f"{found[:40]!r} is neither a comment nor part of an entry with msgid and msgstr\n"
            f"  'msgfmt --check {name}' shows what is wrong"
        )

import ast
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from filling import filled, kept, places, texts
from hypothesis import given, settings
from hypothesis import strategies as st
from translate.storage.pypo import pofile
from wild_texts import texts as wild

from hftoolkit.documents.formats.po import pieces
from hftoolkit.documents.pieces import Piece, Text
from hftoolkit.documents.reading import open_document
from hftoolkit.documents.settings import Settings
from hftoolkit.errors import DataError

SETTINGS = Settings("en", "de")
HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Plural-Forms: {};\\n"\n\n'
GERMAN = HEADER.format("nplurals=2; plural=(n != 1)")
CHINESE = HEADER.format("nplurals=1; plural=0")
FRENCH = HEADER.format("nplurals=2; plural=(n > 1)")
RUSSIAN = HEADER.format(
    "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2)"
)


def cut(text: str, *, all_entries: bool = False) -> Iterator[Piece]:
    return pieces(text, replace(SETTINGS, all_entries=all_entries), "m.po")


def entry(text: str) -> str:
    """An entry filled with capitals."""
    assert kept(cut(text)) == text
    return filled(cut(text))


def message(text: str) -> str:
    with pytest.raises(DataError) as caught:
        list(cut(text))
    return str(caught.value)


def test_an_untranslated_entry_is_filled_signed_and_fuzzy() -> None:
    found = entry(GERMAN + 'msgid "yes"\nmsgstr "ja"\n\n#: a.py:1\nmsgid "no"\nmsgstr ""\n\nmsgid "a"\nmsgstr "b"\n')

    assert found == (
        GERMAN + 'msgid "yes"\nmsgstr "ja"\n\n'
        "# machine-translated by hftoolkit\n"
        "#: a.py:1\n"
        "#, fuzzy\n"
        'msgid "no"\nmsgstr "NO"\n\nmsgid "a"\nmsgstr "b"\n'
    )


def test_comments_stay_in_the_order_of_gettext() -> None:
    found = entry(
        "# a note\n#\n#. extracted\n#: a.c:1\n#, c-format, no-wrap\n"
        '#| msgctxt "x"\n#| msgid "old %s"\nmsgctxt "menu"\nmsgid "new %s"\nmsgstr ""\n'
    )

    assert found == (
        "# a note\n#\n# machine-translated by hftoolkit\n#. extracted\n#: a.c:1\n#, fuzzy, c-format, no-wrap\n"
        'msgctxt "menu"\nmsgid "new %s"\nmsgstr "NEW %S"\n'
    )


def test_a_fuzzy_entry_is_translated_anew() -> None:
    text = '# machine-translated by hftoolkit\n#, fuzzy\n#| msgid "old"\nmsgid "new"\nmsgstr "alt"\n'
    assert entry(text) == '# machine-translated by hftoolkit\n#, fuzzy\nmsgid "new"\nmsgstr "NEW"\n'


def test_only_all_entries_are_all_entries() -> None:
    text = GERMAN + 'msgid "yes"\nmsgstr "ja"\n'
    assert texts(cut(text)) == []
    assert texts(cut(text, all_entries=True)) == ["yes"]


@pytest.mark.parametrize(
    "text",
    [
        "#, fuzzy\n" + GERMAN,
        '#, fuzzy\n#~ msgid "gone"\n#~ msgstr ""\n',
        '#~ msgctxt "x"\n#~ msgid "gone"\n#~ msgstr ""\n\n# at nothing\n',
        'msgctxt "empty"\nmsgid ""\nmsgstr ""\n',
        'domain "other"\n',
        "# only\n\n#\n",
        "",
        "\n\n",
    ],
)
def test_what_is_never_touched(text: str) -> None:
    assert list(cut(text, all_entries=True)) == ([text] if text else [])


def test_an_entry_behind_an_obsolete_one() -> None:
    text = '#~ msgid "gone"\n#~ msgstr "weg"\n# note\nmsgid "a"\nmsgstr ""\n'
    assert entry(text).startswith('#~ msgid "gone"\n#~ msgstr "weg"\n# note\n# machine')
    assert [place.where for place in places(cut(text))] == ["line 4"]


def test_entries_without_a_blank_line_between_them() -> None:
    text = 'msgid "a"\nmsgstr "x"\nmsgid "b"\nmsgstr ""\n# c\nmsgid "c"\nmsgstr ""\n'
    assert texts(cut(text)) == ["b", "c"]
    assert [place.where for place in places(cut(text))] == ["line 3", "line 6"]


def test_strings_on_several_lines_or_on_one() -> None:
    text = 'msgid ""\n  "one "\n"two"\n\nmsgstr ""\n\n msgid "a" "b"\nmsgstr   ""   ""  \n'
    assert texts(cut(text)) == ["one two", "ab"]
    assert kept(cut(text)) == text


def test_escapes_are_undone_and_done_again() -> None:
    text = r'msgid "a\tb\n\"c\" \\d\\n \x41\101 \r \q"' + '\nmsgstr ""\n'
    assert texts(cut(text)) == ['a\tb\n"c" \\d\\n AA \r \\q']
    assert entry(text).endswith('msgstr ""\n' + r'"A\tB\n"' + "\n" + r'"\"C\" \\D\\N AA \r \\Q"' + "\n")


def test_line_feeds_at_the_ends_are_those_of_the_message() -> None:
    text = r'msgid "\none\n\n"' + '\nmsgstr ""\n'
    assert filled(cut(text), lambda _: ("\n\n eins",)).endswith('msgstr ""\n"\\n"\n" eins\\n"\n"\\n"\n')
    assert filled(cut('msgid "one"\nmsgstr ""\n'), lambda _: ("eins\n",)).endswith('msgstr "eins"\n')


def test_long_lines_are_wrapped_as_gettext_wraps_them() -> None:
    long = "word " * 16
    assert entry(f'msgid "{long}"\nmsgstr ""\n').endswith('msgstr ""\n"' + "WORD " * 15 + '"\n"WORD "\n')
    fits = "x" * 34 + " " + "y" * 35
    assert entry(f'msgid "{fits}"\nmsgstr ""\n').endswith(f'msgstr "{fits.upper()}"\n')
    assert entry(f'msgid "{fits}z"\nmsgstr ""\n').endswith(f'msgstr ""\n"{fits.upper()}Z"\n')
    wide = "译" * 36
    assert filled(cut('msgid "a"\nmsgstr ""\n'), lambda _: (wide,)).endswith(f'msgstr ""\n"{wide}"\n')


def test_a_message_that_is_not_to_be_wrapped_has_a_line_for_each_of_its_lines() -> None:
    long = "word " * 30
    assert entry(f'#, no-wrap\nmsgid "{long}"\nmsgstr ""\n').endswith(f'msgstr "{long.upper()}"\n')
    assert entry(f'#, no-wrap\nmsgid "{long}\\na"\nmsgstr ""\n').endswith(f'msgstr ""\n"{long.upper()}\\n"\n"A"\n')


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_are_those_of_the_file(end: str) -> None:
    text = (
        GERMAN + '# note\nmsgid "a"\nmsgstr ""\n\nmsgid "b"\nmsgid_plural "c"\nmsgstr[0] "x"\nmsgstr[1] ""'
    ).replace("\n", end)
    found = entry(text)
    assert found.count(end) == text.count(end) + 4
    assert found.replace(end, "\n").count("\n") == found.count(end)
    assert found.endswith(f'msgstr[0] "x"{end}msgstr[1] "C"')


PLURAL = 'msgid "{}"\nmsgid_plural "%d files"\n'


@pytest.mark.parametrize(
    ("header", "singular", "forms"),
    [
        (GERMAN, "%d file", ["%D FILE", "%D FILES"]),
        (GERMAN, "One file", ["ONE FILE", "%D FILES"]),
        (CHINESE, "%d file", ["%D FILES"]),
        (FRENCH, "%d file", ["%D FILE", "%D FILES"]),
        (FRENCH, "One file", ["%D FILES", "%D FILES"]),  # the first form is for 0, too
        (RUSSIAN, "%d file", ["%D FILE", "%D FILES", "%D FILES"]),
        (RUSSIAN, "One file", ["%D FILES", "%D FILES", "%D FILES"]),  # and here for 21
        ("", "One file", ["ONE FILE", "%D FILES"]),
        (HEADER.format("nplurals=INTEGER; plural=EXPRESSION"), "One file", ["ONE FILE", "%D FILES"]),
        (HEADER.format("nplurals=2; plural=n/0"), "One file", ["ONE FILE", "%D FILES"]),
        (HEADER.format("nplurals=99; plural=0"), "One file", ["ONE FILE", "%D FILES"]),
    ],
)
def test_plural_forms(header: str, singular: str, forms: list[str]) -> None:
    text = header + PLURAL.format(singular) + 'msgstr[0] ""\n' + 'msgstr[1] ""\n' * (header != CHINESE)
    lines = "".join(f'msgstr[{number}] "{form}"\n' for number, form in enumerate(forms))
    assert entry(text).endswith(lines)


def test_plural_forms_that_are_there_stay() -> None:
    text = RUSSIAN + PLURAL.format("%d file") + 'msgstr[0] "a"\n"b"\nmsgstr[1] ""\n'
    assert texts(cut(text)) == ["%d files"]
    assert entry(text).endswith('msgstr[0] "a"\n"b"\nmsgstr[1] "%D FILES"\nmsgstr[2] "%D FILES"\n')


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ('msgid "a\nmsgstr ""\n', 1, "'msgid \"a'"),
        ('\n\nmsgid "a"\n', 3, "'msgid \"a\"'"),
        ('msgid "a"\nmsgstr ""\n\nhello\n', 4, "'hello'"),
        ('msgid "a"\nmsgstr "" x\n', 1, "'msgid \"a\"'"),
        ('msgstr ""\n', 1, "'msgstr \"\"'"),
        ('"string"\n', 1, "'\"string\"'"),
        ('msgid "a"\nmsgstr[12345678901] ""\n', 1, "'msgid \"a\"'"),
    ],
)
def test_what_is_not_po(text: str, line: int, found: str) -> None:
    assert message(text) == (
        f"m.po: line {line}: not PO: {found} is neither a comment nor part of an entry with msgid and msgstr\n"
        "  'msgfmt --check m.po' shows what is wrong"
    )


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")


@settings(deadline=None)
@given(st.lists(st.tuples(wild, wild), max_size=4))
def test_of_any_texts_those_without_a_translation_are_places(entries: list[tuple[str, str]]) -> None:
    text = GERMAN + "".join(
        f'msgctxt "{number}"\nmsgid "{_quoted(source)}"\nmsgstr "{_quoted(target)}"\n\n'
        for number, (source, target) in enumerate(entries)
    )
    assert kept(cut(text, all_entries=True)) == text
    assert texts(cut(text)) == [source for source, target in entries if source and not target]


@settings(deadline=None)
@given(wild)
def test_any_translation_is_written_as_c_writes_strings(translation: str) -> None:
    translation = translation.replace("\0", "")
    written = filled(cut('msgid "a"\nmsgstr ""\n'), lambda _: (translation,))
    strings = written.partition('msgid "a"\nmsgstr ')[2].split("\n")
    assert "".join(ast.literal_eval(string) for string in strings if string) == translation.strip("\n") or not (
        translation.strip("\n")
    )
    assert texts(cut(written)) == ["a"]
    assert kept(cut(written)) == written


REAL = ["drf-po", "python-docs-pt_BR-po", "python-docs-zh_CN-po", "wtforms-po"]


@pytest.mark.slow
@pytest.mark.parametrize("folder", REAL)
@pytest.mark.parametrize("all_entries", [False, True])
def test_real_files_differ_in_the_filled_entries_only(shared: Path, folder: str, all_entries: bool) -> None:
    paths = sorted((shared / "data" / "translation" / folder).rglob("*.po*"))
    assert paths
    for number, path in enumerate(paths):
        cut = list(open_document(path, Settings("en", "zh-Hans", all_entries=all_entries)).pieces)
        assert kept(cut).encode() == path.read_bytes()
        if number % 10 == 0:  # the other reader is slow
            _compare(path.read_bytes(), filled(cut, _turned).encode(), all_entries)


def _turned(text: Text) -> Text:
    """A translation in which placeholders stay as they are."""
    return tuple(" ".join(reversed(part.split(" "))) if isinstance(part, str) else part for part in text)


def _compare(was: bytes, became: bytes, all_entries: bool) -> None:
    """As translate-toolkit reads the two, and as gettext does where it is installed."""
    for unit, other in zip(pofile.parsestring(was).units, pofile.parsestring(became).units, strict=True):
        forms = unit.target.strings if unit.hasplural() else [unit.target]
        if not unit.isheader() and not unit.isobsolete() and (all_entries or unit.isfuzzy() or not all(forms)):
            assert other.isfuzzy()
            assert "machine-translated by hftoolkit" in other.getnotes("translator")
            assert (other.getid(), other.getlocations()) == (unit.getid(), unit.getlocations())
        else:
            assert str(other) == str(unit)
    msgfmt = shutil.which("msgfmt")
    if msgfmt is not None:
        found = subprocess.run([msgfmt, "--use-fuzzy", "-o", os.devnull, "-"], input=became, capture_output=True)
        assert found.returncode == 0, found.stderr.decode()

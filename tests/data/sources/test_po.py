from pathlib import Path
from typing import Any

import pytest
from source_reading import read_all, rows_of, write

from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Languages

HEADER = r"""# Translators, 2024
#, fuzzy
msgid ""
msgstr ""
"Language: de\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

"""
ENTRIES = r"""
#: a.py:1
msgid "Open \"file\"\n"
msgstr "Datei "
"öffnen\n"

msgid "Untranslated"
msgstr ""

#, fuzzy, python-format
msgid "Fuzzy"
msgstr "Unklar"

msgid "%d day"
msgid_plural "%d days"
msgstr[0] "%d Tag"
msgstr[1] "%d Tage"

msgid "%d hour"
msgid_plural "%d hours"
msgstr[0] "%d Stunde"
msgstr[1] ""

msgctxt "menu"
msgid "Close"
msgstr "Schließen"

#~ msgid "Gone"
#~ msgstr "Weg"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "de.po"


def message(path: Path, text: str, **keys: Any) -> str:
    with pytest.raises(DataError) as caught:
        rows_of(source=write(path, text), **keys)
    return str(caught.value)


def test_entries_are_rows_and_the_rest_is_counted(path: Path) -> None:
    rows, census, places = read_all(source=write(path, HEADER + ENTRIES))
    assert rows == [
        {"source": 'Open "file"\n', "target": "Datei öffnen\n"},
        {"source": "%d day", "target": "%d Tag"},
        {"source": "Close", "target": "Schließen"},
    ]
    assert all(type(text) is str for row in rows for text in row.values())
    assert census.dropped == {"untranslated": 2, "fuzzy": 1, "obsolete": 1}
    assert census.read == 4  # those that are rows are counted by who takes them
    assert census.notes == ["entries with plural forms, of which only the singular is used: 1"]
    assert places == [f"{path}: entry 1", f"{path}: entry 4", f"{path}: entry 6"]


def test_the_singular_is_the_form_for_one(path: Path) -> None:
    header = HEADER.replace("nplurals=2; plural=(n != 1)", "nplurals=3; plural=(n==0 ? 0 : n==1 ? 1 : 2)")
    entry = 'msgid "%d day"\nmsgid_plural "%d days"\nmsgstr[0] "zero"\nmsgstr[1] "one"\nmsgstr[2] "many"\n'
    assert rows_of(source=write(path, header + entry)) == [{"source": "%d day", "target": "one"}]


@pytest.mark.parametrize("rule", ["nplurals=INTEGER; plural=EXPRESSION;", "", "plural=((("])
def test_without_a_usable_rule_the_first_form_is_taken(path: Path, rule: str) -> None:
    header = HEADER.replace("nplurals=2; plural=(n != 1);", rule)
    entry = 'msgid "%d day"\nmsgid_plural "%d days"\nmsgstr[0] "one"\nmsgstr[1] "many"\n'
    assert rows_of(source=write(path, header + entry)) == [{"source": "%d day", "target": "one"}]


def test_both_directions(path: Path) -> None:
    source = write(path, HEADER + 'msgid "a"\nmsgstr "b"\n')
    assert rows_of(source=source, columns={"source": "msgstr", "target": "msgid"}) == [{"source": "b", "target": "a"}]


def test_a_folder_is_read_in_order_of_paths(tmp_path: Path) -> None:
    for name in ("b.po", "a/z.po", "a/c.po", "B.po", "a.po"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write(tmp_path / name, HEADER + f'msgid "{name}"\nmsgstr "x"\n')
    (tmp_path / "notes.txt").write_text("no PO", encoding="utf-8")
    assert [row["source"] for row in rows_of(source=str(tmp_path))] == ["B.po", "a/c.po", "a/z.po", "a.po", "b.po"]


def test_files_in_several_languages_are_noted(tmp_path: Path) -> None:
    for name, language in (("1", "fr"), ("2", "de"), ("3", "fr"), ("4", "de")):
        written(tmp_path / f"{name}.po", language)
    assert read_all(source=str(tmp_path))[1].notes == [
        f"{tmp_path / '2.po'} has the header 'Language: de', where fr is expected (and 1 more file)"
    ]


def written(path: Path, language: str) -> str:
    header = HEADER.replace("Language: de", f"Language: {language}")
    return write(path, header + 'msgid "a"\nmsgstr "b"\n')


EN_ZH = Languages(source="en", target="zh-Hans")
ZH_EN = Languages(source="zh-Hans", target="en")


@pytest.mark.parametrize("language", ["zh", "zh_CN", "zh-Hans", "cmn", "zh_CN.UTF-8", ""])
def test_a_file_in_the_language_translated_to_needs_no_note(path: Path, language: str) -> None:
    rows, census, _ = read_all(source=written(path, language), languages=EN_ZH)
    assert (rows, census.notes) == ([{"source": "a", "target": "b"}], [])


@pytest.mark.parametrize("language", ["zh_TW", "fr", "Chinese"])
def test_a_file_in_another_language_is_noted(path: Path, language: str) -> None:
    rows, census, _ = read_all(source=written(path, language), languages=EN_ZH)
    assert rows == [{"source": "a", "target": "b"}]
    assert census.notes == [f"{path} has the header 'Language: {language}', where zh-Hans is expected"]


def test_another_region_is_noted(path: Path) -> None:
    census = read_all(source=written(path, "pt_PT"), languages=Languages(source="en", target="pt-BR"))[1]
    assert census.notes == [f"{path} has the header 'Language: pt_PT', where pt-BR is expected"]


def test_a_file_in_the_language_translated_from_is_turned_round(path: Path) -> None:
    rows, census, _ = read_all(source=written(path, "zh_CN"), languages=ZH_EN)
    assert rows == [{"source": "b", "target": "a"}]
    assert census.notes == [f"{path} is translated into zh_CN: read from the translation to the original"]


def test_columns_are_not_turned_round_but_the_language_is_compared(path: Path) -> None:
    columns = {"source": "msgid", "target": "msgstr"}
    rows, census, _ = read_all(source=written(path, "zh_CN"), languages=ZH_EN, columns=columns)
    assert rows == [{"source": "a", "target": "b"}]
    assert census.notes == [f"{path} has the header 'Language: zh_CN', where en is expected"]
    columns = {"source": "msgstr", "target": "msgid"}
    rows, census, _ = read_all(source=written(path, "zh_CN"), languages=ZH_EN, columns=columns)
    assert (rows, census.notes) == ([{"source": "b", "target": "a"}], [])


def test_a_folder_without_po_files(tmp_path: Path) -> None:
    (tmp_path / "a.tmx").touch()
    with pytest.raises(DataError) as caught:
        rows_of(source=str(tmp_path), format="po")
    assert str(caught.value) == (
        f"{tmp_path}: no file in this folder has a name that ends in .po\n"
        f"  give files of other names by a pattern:  source: {tmp_path}/**/*.ENDING"
    )


def test_the_charset_of_the_header_is_used(path: Path) -> None:
    header = HEADER.replace("UTF-8", "GB2312")
    path.write_bytes((header + 'msgid "a"\nmsgstr "中"\n').encode("gb2312"))
    assert rows_of(source=str(path)) == [{"source": "a", "target": "中"}]


def test_a_file_without_header_is_utf_8(path: Path) -> None:
    assert rows_of(source=write(path, 'msgid "a"\nmsgstr "中"\n')) == [{"source": "a", "target": "中"}]
    path.write_bytes(b'msgid "a"\nmsgstr "\xff"\n')
    with pytest.raises(DataError, match=r"byte 19 \(line 2\): 0xFF is not UTF-8 here"):
        rows_of(source=str(path))


def test_a_byte_order_mark_is_noted(path: Path) -> None:
    rows, census, _ = read_all(source=write(path, "\ufeff" + HEADER + 'msgid "a"\nmsgstr "b"\n'))
    assert rows == [{"source": "a", "target": "b"}]
    assert census.notes == [f"{path} begins with a byte order mark: read as UTF-8"]


def test_separators_of_unicode_stay_in_the_text(path: Path) -> None:
    text = "a\u2028b\x85c\u2029d\x0ce"
    assert rows_of(source=write(path, f'{HEADER}msgid "{text}"\nmsgstr "{text}!"\n')) == [
        {"source": text, "target": f"{text}!"}
    ]


def test_windows_line_ends(path: Path) -> None:
    text = (HEADER + 'msgid "a"\nmsgstr "b\\n"\n').replace("\n", "\r\n")
    assert rows_of(source=write(path, text)) == [{"source": "a", "target": "b\n"}]


def test_what_is_not_po(path: Path) -> None:
    assert message(path, HEADER + 'msgid "a"\nmsgstr "b"\n\nrubbish\n') == (
        f"{path}: not PO: Syntax error on line 12: 'rubbish\\n'\n  'msgfmt --check de.po' shows what is wrong"
    )


def test_other_columns_do_not_exist(path: Path) -> None:
    assert message(path, HEADER, columns={"target": "msgst"}) == (
        f"{path}: no column 'msgst'; did you mean 'msgstr'?\n"
        "  the columns are: msgid, msgstr\n"
        "  say which one holds which role:  columns: {source: msgid, target: msgstr}"
    )


def test_a_list_of_columns_makes_no_sense(path: Path) -> None:
    assert "no column" in message(path, HEADER, columns={"target": ["msgstr", "msgid"]})


@pytest.mark.parametrize("rule", ["n%0", "-1", "0/0"])
def test_a_plural_rule_that_gives_no_form(tmp_path: Path, rule: str) -> None:
    path = write(
        tmp_path / "p.po",
        f'msgid ""\nmsgstr "Plural-Forms: nplurals=1; plural={rule};\\n"\n\n'
        'msgid "a file"\nmsgid_plural "files"\nmsgstr[0] "erste"\nmsgstr[1] "zweite"\n',
    )
    assert rows_of(source=path) == [{"source": "a file", "target": "erste"}]


def test_a_charset_within_a_text_is_left_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "c.po", 'msgid ""\nmsgstr "Language: de\\n"\n\nmsgid "charset=latin1"\nmsgstr "b"\n')
    assert rows_of(source=path) == [{"source": "charset=latin1", "target": "b"}]

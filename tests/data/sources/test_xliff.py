from pathlib import Path
from typing import Any

import pytest
from source_reading import read_all, rows_of, write

from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Languages

EN_ZH = Languages(source="en", target="zh-Hans")
ZH_EN = Languages(source="zh-Hans", target="en")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "m.xlf"


def one(path: Path, body: str, file: str = 'source-language="en" target-language="zh-CN"') -> str:
    """An XLIFF 1.2 file."""
    head = '<?xml version="1.0"?><xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">'
    return write(path, f'{head}<file original="a" datatype="plaintext" {file}><body>{body}</body></file></xliff>')


def two(path: Path, body: str, root: str = 'srcLang="en" trgLang="zh-CN"') -> str:
    """An XLIFF 2.0 file."""
    head = f'<xliff version="2.0" xmlns="urn:oasis:names:tc:xliff:document:2.0" {root}>'
    return write(path, f'{head}<file id="f1">{body}</file></xliff>')


def unit(source: str, target: str | None, of_target: str = "", of_unit: str = "") -> str:
    translated = "" if target is None else f"<target {of_target}>{target}</target>"
    return f'<trans-unit id="1" {of_unit}><source>{source}</source>{translated}</trans-unit>'


def segment(source: str, target: str, of_segment: str = "") -> str:
    return f"<segment {of_segment}><source>{source}</source><target>{target}</target></segment>"


def message(**keys: Any) -> str:
    with pytest.raises(DataError) as caught:
        rows_of(**keys)
    return str(caught.value)


def test_units_are_rows(path: Path) -> None:
    source = one(
        path, unit("a", "中") + "<group><note>n</note>" + unit("b <x id='1'/>c", "文<ph>x</ph>字") + "</group>"
    )
    rows, census, places = read_all(source=source, languages=EN_ZH)
    assert rows == [{"source": "a", "target": "中"}, {"source": "b c", "target": "文字"}]
    assert places == [f"{path}: unit 1", f"{path}: unit 2"]
    assert (census.dropped, census.notes) == ({}, [])


def test_segments_of_version_2_are_rows(path: Path) -> None:
    notes = "<unit id='1'><notes><note>n</note></notes>"
    first = notes + segment("a", "中") + "<ignorable><source> </source></ignorable>" + segment("b", "文") + "</unit>"
    rows, _, places = read_all(source=two(path, first + f"<unit id='2'>{segment('c', '字')}</unit>"), languages=EN_ZH)
    assert [(row["source"], row["target"]) for row in rows] == [("a", "中"), ("b", "文"), ("c", "字")]
    assert places[2] == f"{path}: unit 3"


def test_a_file_in_the_other_direction_gives_rows_the_right_way_round(path: Path) -> None:
    source = one(path, unit("a", "中"))
    assert rows_of(source=source, languages=ZH_EN) == [{"source": "中", "target": "a"}]
    assert rows_of(source=source, columns={"source": "zh", "target": "en"}) == [{"source": "中", "target": "a"}]
    source = two(path, f"<unit id='1'>{segment('a', '中')}</unit>")
    assert rows_of(source=source, languages=ZH_EN) == [{"source": "中", "target": "a"}]


def test_what_is_not_finished_is_left_out(path: Path) -> None:
    body = (
        unit("a", None)
        + unit("b", "")
        + unit("c", " \n <x id='1'/> ")
        + unit("d", "1", 'state="new"')
        + unit("e", "2", 'state="needs-translation"')
        + unit("f", "3", 'state="needs-review-translation"')
        + unit("g", "4", 'state="translated"')
        + unit("h", "5", 'state="final"', 'approved="yes"')
        + unit("i", "6", 'state="x-own"', 'approved="no"')
        + unit("j", "7", "", 'translate="no"')
        + '<group translate="no">'
        + unit("k", "8")
        + unit("l", "9", "", 'translate="yes"')
        + "</group>"
    )
    rows, census, _ = read_all(source=one(path, body), languages=EN_ZH)
    assert [row["source"] for row in rows] == ["g", "h", "i", "l"]
    assert census.dropped == {
        "untranslated": 3,
        "state new": 1,
        "state needs-translation": 1,
        "state needs-review-translation": 1,
        'translate="no"': 2,
    }


def test_states_of_version_2(path: Path) -> None:
    states = ["initial", "translated", "reviewed", "final"]
    body = "".join(f"<unit id='{state}'>{segment(state, 'x', f'state={state!r}')}</unit>" for state in states)
    body += f"<unit id='n' translate='no'>{segment('no', 'x')}</unit><unit id='u'>{segment('empty', '')}</unit>"
    rows, census, _ = read_all(source=two(path, body), languages=EN_ZH)
    assert [row["source"] for row in rows] == states[1:]
    assert census.dropped == {"state initial": 1, 'translate="no"': 1, "untranslated": 1}


def test_suggestions_are_no_translations(path: Path) -> None:
    body = (
        '<trans-unit id="1"><source>a</source><alt-trans><source>b</source><target>B</target></alt-trans></trans-unit>'
        '<trans-unit id="2"><source>c</source><seg-source>x</seg-source><target>C</target>'
        "<alt-trans><target>D</target></alt-trans></trans-unit>"
    )
    rows, census, _ = read_all(source=one(path, body), languages=EN_ZH)
    assert (rows, census.dropped) == ([{"source": "c", "target": "C"}], {"untranslated": 1})


def test_white_space_is_one_blank_where_it_is_not_to_be_kept(path: Path) -> None:
    text = "\n   two\n   words\xa0  "
    assert rows_of(source=one(path, unit(text, "1")), languages=EN_ZH)[0]["source"] == "two words\xa0"
    kept = one(path, unit(text, "1", "", 'xml:space="preserve"'))
    assert rows_of(source=kept, languages=EN_ZH)[0]["source"] == text


def test_of_plural_forms_the_first_is_a_row(path: Path) -> None:
    group = '<group restype="x-gettext-plurals">{}</group>'
    body = group.format(unit("%d day", "%d 天") + unit("%d days", "%d 日")) + unit("a", "中")
    body += group.format(unit("%d cat", "%d 猫") + unit("%d cats", "%d 貓"))
    rows, census, _ = read_all(source=one(path, body), languages=EN_ZH)
    assert [row["source"] for row in rows] == ["%d day", "a", "%d cat"]
    assert census.dropped == {"plural form other than the first": 2}


def test_every_file_in_it_may_have_languages_of_its_own(path: Path) -> None:
    other = '</body></file><file original="b" source-language="en" target-language="fr"><body>'
    rows, census, _ = read_all(source=one(path, unit("a", "中") + other + unit("b", "c")), languages=EN_ZH)
    assert (rows, census.dropped) == ([{"source": "a", "target": "中"}], {"not in all languages": 1})


def test_a_target_may_name_its_language(path: Path) -> None:
    source = one(path, unit("a", "中", 'xml:lang="zh"') + unit("b", "c", 'xml:lang="fr"'), 'source-language="en"')
    rows, census, _ = read_all(source=source, languages=EN_ZH)
    assert (rows, census.dropped) == ([{"source": "a", "target": "中"}], {"not in all languages": 1})


@pytest.mark.parametrize(("languages", "role"), [(EN_ZH, "target"), (ZH_EN, "source")])
def test_a_target_that_names_no_language_is_in_the_one_that_is_left(
    path: Path, languages: Languages, role: str
) -> None:
    source = one(path, unit("a", "中"), 'source-language="en-US"')
    rows, census, _ = read_all(source=source, languages=languages)
    assert [row[role] for row in rows] == ["中"]
    assert census.notes == [f"{path} names no target language: taken for zh-Hans"]


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        ('source-language="en" target-language="en"', "en"),
        ('source-language="en" target-language="zh-TW"', "en, zh-TW"),
        ('source-language="fr"', "(none named), fr"),
        ("", "(none named)"),
    ],
)
def test_a_file_without_the_languages(path: Path, file: str, shown: str) -> None:
    assert message(source=one(path, unit("a", "b"), file), languages=EN_ZH) == (
        f"{path}: no unit is in both en and zh-Hans; the languages in this file are: {shown}\n"
        "  say which one holds which role:"
        "  columns: {source: LANGUAGE, target: LANGUAGE}  (or data.languages, for translation)"
    )


def test_another_format(path: Path) -> None:
    assert message(source=write(path, "<tmx><unit/></tmx>"), languages=EN_ZH).startswith(
        f"{path}: not XLIFF: the outermost element is <tmx>, expected <xliff>\n"
    )


def test_a_unit_outside_a_file(path: Path) -> None:
    source = write(path, f"<xliff>{unit('a', 'b')}</xliff>")
    assert "the languages in this file are: (none named)" in message(source=source, languages=EN_ZH)


def test_of_a_folder_files_in_other_languages_are_left_aside(tmp_path: Path) -> None:
    one(tmp_path / "a.de.xlf", unit("a", "b"), 'source-language="en" target-language="de"')
    one(tmp_path / "a.zh.xlf", unit("a", "中"))
    one(tmp_path / "b.de.xlf", unit("c", "d"), 'source-language="en" target-language="de"')
    rows, census, _ = read_all(source=str(tmp_path), languages=EN_ZH)
    assert rows == [{"source": "a", "target": "中"}]
    assert census.dropped == {"not in all languages": 2}
    assert census.notes == [
        f"{tmp_path / 'a.de.xlf'} gives no row: no unit is in both en and zh-Hans; the languages in this file are: "
        "de, en (and 1 more file)"
    ]

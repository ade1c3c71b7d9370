"""Counts of public data sets in their original formats."""

import os
from pathlib import Path
from typing import Any

import pytest
from translate.storage.tmx import tmxfile
from translate.storage.xliff import Xliff1File

from hftoolkit.data.census import Census
from hftoolkit.data.rows import Rows, load_rows
from hftoolkit.data.sources import read
from hftoolkit.data.sources.formats import format_of_file
from hftoolkit.data.splitting import hold_out_files, leakage
from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Filters, Languages, Source

SHARED = os.environ.get("HFTOOLKIT_SHARED")
DATA = Path(SHARED or "") / "data"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not SHARED, reason="HFTOOLKIT_SHARED names no folder")]


def load(folder: Path, filters: Filters | None = None, languages: Languages | None = None, **keys: Any) -> Rows:
    source = Source.model_validate(keys)
    return load_rows([source], ["source"], ["target"], filters=filters, folder=folder, languages=languages)


def counts(rows: Rows) -> tuple[int, int, dict[str, int]]:
    (census,) = rows.census
    assert isinstance(census, Census)
    assert census.kept == len(rows) == sum(1 for _ in rows)
    assert census.read == census.kept + sum(census.dropped.values())
    return census.read, census.kept, census.dropped


@pytest.mark.parametrize(
    ("name", "read", "dropped"),
    [
        ("tatoeba-cmn-eng/cmn.txt", 28_447, {}),
        ("tatoeba-fra-eng/fra.txt", 167_130, {"source equals target": 1}),
    ],
)
def test_tsv_without_header(tmp_path: Path, name: str, read: int, dropped: dict[str, int]) -> None:
    path = str(DATA / "translation" / name)
    rows = load(tmp_path, Filters(), source=path, format="tsv", columns={"source": 1, "target": 2})
    assert counts(rows) == (read, read - sum(dropped.values()), dropped)


@pytest.mark.parametrize(
    ("prefix", "source", "target", "read", "dropped"),
    [
        ("3am-en-zh/train.", "en", "zh", 23_931, {"duplicate": 9}),
        ("3am-en-zh/test.", "en", "zh", 1_000, {"duplicate": 3}),
        ("multi30k/train.", "en", "de", 29_000, {"duplicate": 3}),
    ],
)
def test_parallel_text(
    tmp_path: Path, prefix: str, source: str, target: str, read: int, dropped: dict[str, int]
) -> None:
    path = str(DATA / "translation" / prefix)
    rows = load(tmp_path, Filters(), files={"source": path + source, "target": path + target})
    assert counts(rows) == (read, read - sum(dropped.values()), dropped)


def test_rows_of_a_test_set_that_stand_in_its_own_training_set(tmp_path: Path) -> None:
    path = str(DATA / "translation" / "3am-en-zh")
    train, val, test = (
        load(tmp_path, files={"source": f"{path}/{split}.en", "target": f"{path}/{split}.zh"})
        for split in ("train", "val", "test")
    )
    assert leakage(train, test) == 99
    assert leakage(train, val) == 3


def test_flores_with_two_references(tmp_path: Path) -> None:
    folder = DATA / "translation" / "flores200"
    references = [str(folder / "deu_Latn.devtest"), str(folder / "fra_Latn.devtest")]
    rows = load(tmp_path, files={"source": str(folder / "eng_Latn.devtest"), "target": references})
    assert counts(rows) == (1_012, 1_012, {})
    assert all(len(row["target"]) == 2 for row in rows)


def test_python_docs_in_chinese(tmp_path: Path) -> None:
    rows = load(tmp_path, Filters(), source=str(DATA / "translation" / "python-docs-zh_CN-po"))
    dropped = {
        "untranslated": 384,
        "source equals target": 8_588,
        "over 2000 characters": 44,
        "markup only": 161,
        "duplicate": 1_703,
    }
    assert counts(rows) == (51_986, 41_106, dropped)
    assert len(rows.file_names) == 484


def test_python_docs_in_portuguese(tmp_path: Path) -> None:
    source = str(DATA / "translation" / "python-docs-pt_BR-po")
    filters = Filters(max_characters=100_000, duplicates=False)
    dropped = {"untranslated": 12_720, "source equals target": 5_917, "markup only": 20}
    assert counts(load(tmp_path, filters, source=source)) == (46_318, 27_681 - 20, dropped)


@pytest.mark.parametrize(
    ("language", "kept", "dropped", "plurals"),
    [("de", 29, {"untranslated": 4, "fuzzy": 3}, 2), ("fr", 36, {}, 4), ("zh", 32, {"fuzzy": 3, "untranslated": 1}, 3)],
)
def test_plural_and_fuzzy_entries(
    tmp_path: Path, language: str, kept: int, dropped: dict[str, int], plurals: int
) -> None:
    rows = load(tmp_path, source=str(DATA / "translation" / "wtforms-po" / language / "wtforms.po"))
    assert counts(rows) == (36, kept, dropped)
    assert rows.census[0].notes == [f"entries with plural forms, of which only the singular is used: {plurals}"]


def language(source: str, target: str) -> Languages:
    return Languages(source=source, target=target)


@pytest.mark.parametrize("tag", ["zh-Hans", "fr", "de"])
def test_catalogues_of_one_language_each(tmp_path: Path, tag: str) -> None:
    path = DATA / "translation" / "drf-po" / tag.replace("-", "_") / "django.po"
    rows = load(tmp_path, source=str(path), languages=language("en", tag))
    assert counts(rows) == (125, 125, {})
    assert rows.census[0].notes == []


@pytest.mark.parametrize(
    ("folder", "format", "entries"),
    [
        ("drf-po", "po", [125] * 4),
        ("wtforms-po", "po", [36] * 3),
        ("python-docs-pt_BR-po", "po", 46_318),
        ("python-docs-zh_CN-po", "po", 51_986),
        ("tico19-tmx", "tmx", [3_071] * 2),
        ("symfony-xliff", "xliff", [116] * 3),
    ],
)
def test_every_entry_of_every_file_is_a_row_or_counted(folder: str, format: str, entries: list[int] | int) -> None:
    found = []
    for path in sorted((DATA / "translation" / folder).rglob("*.*")):
        if format_of_file(path) != format or path.name in ("wtforms.pot", "validators.en.xlf"):
            continue
        census = Census(str(path))
        columns = {"source": "en", "target": TAGS[path.suffixes[-2]]} if format != "po" else {}
        raws = read(Source(source=str(path), columns=columns), ("source", "target"), census)
        found.append(sum(1 for _, rows in raws for _ in rows) + census.read)
    assert (sum(found) if isinstance(entries, int) else found) == entries


TAGS = {".en-zh": "zh", ".en-fr": "fr", ".zh_CN": "zh-CN", ".fr": "fr", ".de": "de"}


@pytest.mark.parametrize(("name", "tag"), [("all.en-zh.tmx", "zh-Hans"), ("all.en-fr.tmx", "fr")])
def test_memories(tmp_path: Path, name: str, tag: str) -> None:
    path = DATA / "translation" / "tico19-tmx" / name
    rows = load(tmp_path, source=str(path), languages=language("en", tag))
    assert counts(rows) == (3_071, 3_071, {})
    assert rows.census[0].notes == []
    back = load(tmp_path, source=str(path), languages=language(tag, "en"))
    assert [(row["target"], row["source"]) for row in back] == [(row["source"], row["target"]) for row in rows]
    units = tmxfile.parsefile(str(path)).units
    assert [(unit.source, unit.target) for unit in units] == [(row["source"], row["target"]) for row in rows]


@pytest.mark.parametrize(
    ("name", "tag", "states"),
    [
        ("zh_CN", "zh-Hans", {"state needs-review-translation": 9, "state needs-translation": 6}),
        ("fr", "fr", {}),
        ("de", "de", {}),
    ],
)
def test_catalogues_in_xliff(tmp_path: Path, name: str, tag: str, states: dict[str, int]) -> None:
    path = DATA / "translation" / "symfony-xliff" / f"validators.{name}.xlf"
    rows = load(tmp_path, source=str(path), languages=language("en", tag))
    assert counts(rows) == (116, 116 - sum(states.values()), states)
    assert rows.census[0].notes == []
    back = load(tmp_path, source=str(path), languages=language(tag, "en"))
    assert [(row["target"], row["source"]) for row in back] == [(row["source"], row["target"]) for row in rows]
    units = [unit for unit in Xliff1File.parsefile(str(path)).units if not unit.target_dom.get("state")]
    assert [(unit.source, unit.target) for unit in units] == [(row["source"], row["target"]) for row in rows]


def test_a_catalogue_in_its_own_language_is_refused(tmp_path: Path) -> None:
    path = DATA / "translation" / "symfony-xliff" / "validators.en.xlf"
    with pytest.raises(DataError, match="no unit is in both en and fr; the languages in this file are: en\n"):
        load(tmp_path, source=str(path), languages=language("en", "fr"))
    assert sum(1 for _ in Xliff1File.parsefile(str(path)).units) == 116


def test_files_held_out_of_the_python_docs(tmp_path: Path) -> None:
    rows = load(tmp_path, Filters(), source=str(DATA / "translation" / "python-docs-zh_CN-po"))
    kept, held = hold_out_files(rows, 0.02, seed=1)
    assert len(held) == pytest.approx(0.02 * len(rows), abs=1)
    assert set(kept.file_numbers.tolist()).isdisjoint(held.file_numbers.tolist())


@pytest.mark.parametrize(
    ("name", "keys", "sentences", "tags", "notes"),
    [
        (
            "conll2003/train.txt",
            {"format": "conll"},
            14_041,
            9,
            ["-DOCSTART- lines, each the start of a document: 946"],
        ),
        ("conll2003/valid.txt", {"format": "conll"}, 3_250, 9, ["-DOCSTART- lines, each the start of a document: 216"]),
        (
            "conll2003/valid.txt",
            {"format": "conll", "columns": {"words": 1, "tags": 2}},
            3_250,
            45,
            ["-DOCSTART- lines, each the start of a document: 216"],
        ),
        ("wnut17/wnut17train.conll", {}, 3_394, 13, []),
        ("wnut17/emerging.dev.conll", {}, 1_009, 13, []),
        ("resume/train.char.bmes", {}, 3_821, 28, []),
        ("resume/dev.char.bmes", {}, 463, 26, []),
    ],
)
def test_sentences_in_columns(
    tmp_path: Path, name: str, keys: dict[str, Any], sentences: int, tags: int, notes: list[str]
) -> None:
    rows = load_rows(
        [Source(source=str(DATA / "ner" / name), **keys)], ["words"], ["tags"], filters=None, folder=tmp_path
    )
    assert counts(rows) == (sentences, sentences, {})
    assert len({tag for row in rows for tag in row["tags"]}) == tags
    assert rows.census[0].notes == notes


@pytest.mark.parametrize(("split", "sentences"), [("train", 1_350), ("dev", 270)])
def test_chinese_characters_with_their_places_in_words(tmp_path: Path, split: str, sentences: int) -> None:
    path = DATA / "ner" / "weibo" / f"weiboNER_2nd_conll.{split}"
    rows = load_rows([Source(source=str(path), format="conll")], ["words"], ["tags"], filters=None, folder=tmp_path)
    assert counts(rows) == (sentences, sentences, {})
    assert "the places are left out" in rows.census[0].notes[0]
    lost = [word for row in rows for word in row["words"] if len(word) > 1]
    assert set(lost) == {"\ufffd\ufffd"}  # an emoji that was lost before


ABSENT = "answers that are not in their context: they count in scores, and teach nothing: "


@pytest.mark.parametrize(
    ("name", "questions", "answers", "impossible", "notes"),
    [  # two questions of the trial set are empty
        ("squad_v1.1/dev-v1.1.json", 10_570, 34_726, 0, []),
        ("squad_v1.1/train-subset-44articles.json", 11_877, 11_877, 0, []),
        ("squad_v2.0-cs224n/dev-v2.0.json", 6_078, 10_052, 3_168, []),
        ("squad_v2.0-cs224n/test-v2.0.json", 5_915, 0, 5_915, [" has no answer to any question"]),
        ("cmrc2018/cmrc2018_dev.json", 3_219, 9_657, 0, [f"{ABSENT}193 (", "repaired answer positions: 7 ("]),
        ("cmrc2018/cmrc2018_trial.json", 1_002, 1_000, 0, ["repaired answer positions: 5 ("]),
        (
            "cmrc2018/original-format/cmrc2018_dev.json",
            3_219,
            9_657,
            0,
            [
                "answers without a position, found in their context: 9,464 (",
                "of these, answers that their context has several times: the first place is taken: 1,287 (",
                f"{ABSENT}193 (",
            ],
        ),
    ],
)
def test_questions(tmp_path: Path, name: str, questions: int, answers: int, impossible: int, notes: list[str]) -> None:
    source = Source(source=str(DATA / "qa" / name))
    for filters in (None, Filters(duplicates=False)):
        rows = load_rows([source], ["question", "context"], ["answers", "starts"], filters=filters, folder=tmp_path)
        empty = {"empty side": 2} if "trial" in name else {}
        assert counts(rows) == (questions, questions - sum(empty.values()), empty)
        assert sum(len(row["answers"]) for row in rows) == answers
        assert sum(not row["answers"] for row in rows) == impossible
        assert all(
            row["context"].startswith(text, start)
            for row in rows
            for text, start in zip(row["answers"], row["starts"], strict=True)
            if start >= 0
        )
        found = rows.census[0].notes
        assert len(found) == len(notes)
        assert all(note in one for note, one in zip(notes, found, strict=True))


def test_positions_found_in_cmrc_2018_are_those_of_its_later_form(tmp_path: Path) -> None:
    roles = ["question", "context", "id"], ["answers", "starts"]
    folder = DATA / "qa" / "cmrc2018"
    later, first = (
        load_rows([Source(source=str(folder / name))], *roles, filters=None, folder=tmp_path)
        for name in ("cmrc2018_dev.json", "original-format/cmrc2018_dev.json")
    )
    # The only difference: four questions end in blanks in the first form.
    assert list(later) == [{**row, "question": row["question"].rstrip(" ")} for row in first]


def test_csv_with_lines_in_quotes(tmp_path: Path) -> None:
    path = str(DATA / "classification" / "banking77" / "train.csv")
    rows = load_rows([Source(source=path)], ["text"], ["category"], filters=None, folder=tmp_path)
    assert counts(rows) == (10_003, 10_003, {})


def test_tsv_with_unbalanced_quotes_and_a_byte_order_mark(tmp_path: Path) -> None:
    folder = DATA / "classification" / "mrpc"
    for name, count in (("msr_paraphrase_train.txt", 4_076), ("msr_paraphrase_test.txt", 1_725)):
        columns = {"one": "#1 String", "two": "#2 String", "label": "Quality"}
        source = Source(source=str(folder / name), format="tsv", columns=columns)
        rows = load_rows([source], ["one", "two"], ["label"], filters=None, folder=tmp_path)
        assert counts(rows) == (count, count, {})
        assert len(rows.census[0].notes) == 1

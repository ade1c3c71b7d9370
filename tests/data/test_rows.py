import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wild_texts import texts

from hftoolkit.data.census import Census
from hftoolkit.data.rows import Rows, load_rows
from hftoolkit.errors import DataError, OutputError
from hftoolkit.recipe.schema import Filters, Languages, Source

NOT_BLANK = texts.filter(lambda text: bool(text.strip()))


def write(path: Path, rows: list[dict[str, Any]]) -> Source:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8", newline="")
    return Source(source=str(path))


def load(*sources: Source, folder: Path, filters: Filters | None = Filters()) -> Rows:  # noqa: B008 (frozen)
    return load_rows(sources, ["source"], ["target"], filters=filters, folder=folder / "cache")


def pair(source: Any, target: Any) -> dict[str, Any]:
    return {"source": source, "target": target}


def message(*sources: Source, folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        load(*sources, folder=folder)
    return str(caught.value)


@given(st.lists(st.tuples(NOT_BLANK, NOT_BLANK), min_size=1, max_size=8))
def test_wild_texts_come_back_as_they_were(pairs: list[tuple[str, str]]) -> None:
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        raw = [pair(a, b) for a, b in pairs]
        rows = load(write(Path(folder) / "t.jsonl", raw), folder=Path(folder), filters=None)
        assert list(rows) == raw


def test_rows_are_filtered_and_counted_by_reason(tmp_path: Path) -> None:
    raw = [
        pair("a", "b"),
        pair("", "b"),
        pair(" \u3000\t", "b"),
        pair("a", None),
        pair("x" * 11, "b"),
        pair("same", "same"),
        pair("a", "b"),
        pair("a", "c"),
        pair("x" * 10, "b"),
    ]
    rows = load(write(tmp_path / "t.jsonl", raw), folder=tmp_path, filters=Filters(max_characters=10))
    assert list(rows) == [pair("a", "b"), pair("a", "c"), pair("x" * 10, "b")]
    dropped = {"empty side": 3, "over 10 characters": 1, "source equals target": 1, "duplicate": 1}
    assert rows.census == (Census(str(tmp_path / "t.jsonl"), 9, 3, dropped, []),)


def test_filters_can_be_left_out_one_by_one(tmp_path: Path) -> None:
    source = write(tmp_path / "t.jsonl", [pair("a", "b"), pair("a", "b"), pair("c", "c")])
    assert len(load(source, folder=tmp_path, filters=Filters(duplicates=False))) == 2
    assert len(load(source, folder=tmp_path, filters=Filters(equal=False))) == 2
    assert len(load(source, folder=tmp_path, filters=Filters(equal=False, duplicates=False))) == 3


def test_a_test_set_loses_rows_with_an_empty_side_only(tmp_path: Path) -> None:
    raw = [pair("a", "a"), pair("a", "a"), pair("x" * 5000, "b"), pair("a", " ")]
    rows = load(write(tmp_path / "t.jsonl", raw), folder=tmp_path, filters=None)
    assert list(rows) == raw[:3]
    assert rows.census[0].dropped == {"empty side": 1}


def test_the_filter_of_equal_sides_is_for_source_and_target_only(tmp_path: Path) -> None:
    source = write(tmp_path / "t.jsonl", [{"text": "yes", "label": "yes"}])
    assert len(load_rows([source], ["text"], ["label"], filters=Filters(), folder=tmp_path / "cache")) == 1


def test_rows_of_nothing_but_markup_are_no_training_rows(tmp_path: Path) -> None:
    raw = [
        pair(":func:`bye`", ":func:`bye` 退出"),
        pair("``a``", "``a``"),
        pair("Call :func:`bye`", "x"),
        pair("a", "``"),
    ]
    source = write(tmp_path / "t.jsonl", raw)
    rows = load(source, folder=tmp_path)
    assert list(rows) == raw[2:]
    assert rows.census[0].dropped == {"markup only": 1, "source equals target": 1}
    assert len(load(source, folder=tmp_path, filters=Filters(markup_only=False))) == 3
    assert len(load(source, folder=tmp_path, filters=None)) == 4


def test_the_filter_of_markup_is_for_source_and_target_only(tmp_path: Path) -> None:
    source = write(tmp_path / "t.jsonl", [{"text": "42", "label": "number"}])
    assert len(load_rows([source], ["text"], ["label"], filters=Filters(), folder=tmp_path / "cache")) == 1


def test_several_references(tmp_path: Path) -> None:
    raw = [pair("a", ["b", "c"]), pair("d", ["e"]), pair("f", []), pair("g", ["", " "])]
    rows = load(write(tmp_path / "t.jsonl", raw), folder=tmp_path, filters=None)
    assert list(rows) == raw[:2]
    assert rows.census[0].dropped == {"empty side": 2}


def test_several_sources_one_census_each_and_duplicates_over_all(tmp_path: Path) -> None:
    one = write(tmp_path / "1.jsonl", [pair("a", "b"), pair("c", "d")])
    two = write(tmp_path / "2.jsonl", [pair("c", "d"), pair("e", "f")]).model_copy(update={"weight": 0.3})
    rows = load(one, two, folder=tmp_path)
    assert [row["source"] for row in rows] == ["a", "c", "e"]
    assert [(c.read, c.kept, c.dropped) for c in rows.census] == [(2, 2, {}), (2, 1, {"duplicate": 1})]
    assert rows.source_numbers.tolist() == [0, 0, 1]
    assert rows.weights == (1.0, 0.3)


def test_reasons_of_the_reader_are_in_the_census(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_bytes(b"\xef\xbb\xbfsource\ttarget\n\na\tb\n")
    rows = load(Source(source=str(tmp_path / "t.tsv")), folder=tmp_path)
    note = f"{tmp_path / 't.tsv'} begins with a byte order mark: read as UTF-8"
    assert rows.census == (Census(str(tmp_path / "t.tsv"), 2, 1, {"blank line": 1}, [note]),)


QUESTIONS = ["question", "context"], ["answers", "starts"]


def asked(answers: Any, context: str = "in France") -> dict[str, Any]:
    return {"question": "Where?", "context": context, "answers": answers}


def test_questions_without_an_answer_are_rows_and_those_that_are_not_answered_are_none(tmp_path: Path) -> None:
    source = write(tmp_path / "t.jsonl", [asked([])] * 2 + [asked(["France"]), asked(None), asked(["France"], "")])
    rows = load_rows([source], *QUESTIONS, filters=None, folder=tmp_path / "cache")
    assert [(row["answers"], row["starts"]) for row in rows] == [([], [])] * 2 + [(["France"], [3])]
    assert rows.census[0].dropped == {"empty side": 2}


def test_all_questions_of_a_file_may_have_no_answer(tmp_path: Path) -> None:
    source = write(tmp_path / "t.jsonl", [asked([], f"in France {number}") for number in range(70)])
    assert len(load_rows([source], *QUESTIONS, filters=Filters(), folder=tmp_path / "cache")) == 70


def test_answers_that_are_not_in_their_context_are_measured_but_not_learned(tmp_path: Path) -> None:
    source = write(tmp_path / "t.jsonl", [asked(["Spain"]), asked(["Spain", "France"]), asked([])])
    test = load_rows([source], *QUESTIONS, filters=None, folder=tmp_path / "cache")
    train = load_rows([source], *QUESTIONS, filters=Filters(), folder=tmp_path / "cache")
    assert [row["starts"] for row in test] == [[-1], [-1, 3], []]
    assert [row["starts"] for row in train] == [[-1, 3], []]
    assert train.census[0].dropped == {"answer not in its context": 1}


def test_positions_are_part_of_what_makes_rows_different(tmp_path: Path) -> None:
    raw = [{**asked(["a"], "a a"), "starts": [start]} for start in (0, 2, 0)]
    rows = load_rows([write(tmp_path / "t.jsonl", raw)], *QUESTIONS, filters=Filters(), folder=tmp_path / "cache")
    assert [row["starts"] for row in rows] == [[0], [2]]
    assert rows.census[0].dropped == {"duplicate": 1}


def test_sentences_with_tags_and_texts_with_spans(tmp_path: Path) -> None:
    words = write(tmp_path / "w.jsonl", [{"words": ["a", " "], "tags": ["O", "O"]}, {"words": [], "tags": []}])
    rows = load_rows([words], ["words"], ["tags"], filters=Filters(), folder=tmp_path / "cache")
    assert (list(rows), rows.census[0].dropped) == ([{"words": ["a", " "], "tags": ["O", "O"]}], {"empty side": 1})
    spans = write(tmp_path / "s.jsonl", [{"text": "a", "spans": []}, {"text": "b", "spans": [[0, 1, "x y"]]}])
    rows = load_rows([spans], ["text"], ["spans"], filters=Filters(), folder=tmp_path / "cache")
    assert list(rows) == [{"text": "a", "spans": []}, {"text": "b", "spans": ["0 1 x y"]}]


def test_only_translations_have_a_longest_side_unless_it_is_said(tmp_path: Path) -> None:
    raw = [asked(["France"], "France" + " x" * 10_000)]
    source = write(tmp_path / "q.jsonl", raw)
    assert len(load_rows([source], *QUESTIONS, filters=Filters(), folder=tmp_path / "cache")) == 1
    with pytest.raises(DataError, match="over 20005 characters: 1"):
        load_rows([source], *QUESTIONS, filters=Filters(max_characters=20_005), folder=tmp_path / "cache")
    pairs = write(tmp_path / "p.jsonl", [pair("x" * 2000, "y"), pair("x" * 2001, "y")])
    assert load(pairs, folder=tmp_path).census[0].dropped == {"over 2000 characters": 1}
    assert len(load(pairs, folder=tmp_path, filters=Filters(max_characters=2001))) == 2


def test_rows_know_the_lines_they_were_read_from(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "a.jsonl", [pair("a", "1"), pair("", "2"), pair("a", "1"), pair("b", "3")])
    write(tmp_path / "data" / "b.jsonl", [pair("c", "4")])
    single = tmp_path / "c.tsv"
    single.write_bytes(b"source\ttarget\n\na\tx\n")
    rows = load(Source(source=str(tmp_path / "data")), Source(source=str(single)), folder=tmp_path)
    a, b = (tmp_path / "data" / f"{name}.jsonl" for name in "ab")
    expected = [f"{a}: line 1", f"{a}: line 4", f"{b}: line 1", f"{single}: line 3"]
    assert rows.places(range(4)) == expected
    assert rows.subset([3, 1]).places([1, 0, 1]) == [expected[1], expected[3], expected[1]]
    assert rows.places([]) == []


def test_questions_know_their_place_in_a_document(tmp_path: Path) -> None:
    paragraph = {"context": "in France", "qas": [{"question": name, "answers": []} for name in "ab"]}
    path = tmp_path / "dev.json"
    path.write_text(json.dumps({"data": [{"paragraphs": [paragraph, paragraph]}]}), encoding="utf-8")
    rows = load_rows([Source(source=str(path))], *QUESTIONS, filters=None, folder=tmp_path / "cache")
    assert rows.places([3, 0]) == [f"{path}: data[0].paragraphs[{n}].qas[{n}]" for n in (1, 0)]


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    raw = [pair(f"text {i // 2}", f"t {i}") for i in range(3000)]
    return load(write(tmp_path / "many.jsonl", raw), folder=tmp_path)


def test_take_and_subset_count_positions(rows: Rows) -> None:
    part = rows.subset([5, 2, 2999])
    assert [row["target"] for row in part] == ["t 5", "t 2", "t 2999"]
    assert part.take([2, 0]) == [pair("text 1499", "t 2999"), pair("text 2", "t 5")]
    assert part.subset([1]).take([0]) == [pair("text 1", "t 2")]
    assert len(rows.subset([])) == 0


@pytest.mark.parametrize(
    ("number", "positions"),
    [(1, [0]), (2, [0, 2999]), (4, [0, 999, 1999, 2999]), (3000, range(3000)), (9999, range(3000))],
)
def test_rows_spread_evenly(rows: Rows, number: int, positions: Sequence[int]) -> None:
    assert rows.evenly(number).numbers.tolist() == list(positions)


def test_a_position_outside_is_refused(rows: Rows) -> None:
    with pytest.raises(IndexError):
        rows.take([3000])


def test_equal_inputs_have_equal_keys(rows: Rows) -> None:
    keys = rows.input_keys
    assert keys.dtype == np.uint64
    assert (keys[0::2] == keys[1::2]).all()
    assert len(set(keys.tolist())) == 1500
    assert rows.subset([4, 0]).input_keys.tolist() == [keys[4], keys[0]]


def test_the_fingerprint_is_of_the_content_not_the_file(tmp_path: Path) -> None:
    one = load(write(tmp_path / "1.jsonl", [pair("a", "b"), pair("c", "d")]), folder=tmp_path)
    (tmp_path / "2.tsv").write_bytes(b"source\ttarget\r\na\tb\r\nc\td\r\n")
    two = load(Source(source=str(tmp_path / "2.tsv")), folder=tmp_path)
    assert one.fingerprint == two.fingerprint
    assert one.fingerprint != one.subset([1, 0]).fingerprint
    assert one.fingerprint == "97a987f36f90452e10f2e90e9f751a47b4b9ce1ebe718a1e1ecfb18921054f3e"


def test_what_was_read_is_not_read_again(tmp_path: Path) -> None:
    source = write(tmp_path / "t.jsonl", [pair("a", "b"), pair("a", "b")])
    one = load(source, folder=tmp_path)
    written = (one.folder / "rows.arrow").stat().st_mtime_ns
    two = load(source.model_copy(update={"weight": 2.0}), folder=tmp_path)
    assert (two.folder, (two.folder / "rows.arrow").stat().st_mtime_ns) == (one.folder, written)
    assert two.census == one.census
    assert two.weights == (2.0,)


def test_a_change_of_the_file_is_seen_even_in_the_same_tick(tmp_path: Path) -> None:
    source = write(tmp_path / "t.jsonl", [pair("a", "b")])
    stamp = (tmp_path / "t.jsonl").stat().st_mtime_ns
    assert list(load(source, folder=tmp_path)) == [pair("a", "b")]
    write(tmp_path / "t.jsonl", [pair("a", "c")])
    os.utime(tmp_path / "t.jsonl", ns=(stamp, stamp))
    assert list(load(source, folder=tmp_path)) == [pair("a", "c")]


def test_a_change_among_the_files_of_a_folder_is_seen(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "b.jsonl", [pair("b", "1"), pair("b", "2")])
    for source in (Source(source=str(tmp_path / "data")), Source(source=str(tmp_path / "data" / "*.jsonl"))):
        assert len(load(source, folder=tmp_path)) == 2
        write(tmp_path / "data" / "a.jsonl", [pair("a", "0")])
        rows = load(source, folder=tmp_path)
        assert [row["target"] for row in rows] == ["0", "1", "2"]
        assert (rows.file_names, rows.file_numbers.tolist()) == (["a.jsonl", "b.jsonl"], [0, 1, 1])
        assert [one.name for one in rows.census] == [source.source]
        (tmp_path / "data" / "a.jsonl").unlink()
        assert len(load(source, folder=tmp_path)) == 2


def test_rows_know_their_files_when_some_are_dropped_or_chosen(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name, values in {"a": ["", ""], "b": ["x", "", "y"], "c": ["x"], "d": ["z"]}.items():
        write(tmp_path / "data" / f"{name}.jsonl", [pair(text, "t") for text in values])
    single = write(tmp_path / "e.jsonl", [pair("v", "t")])
    rows = load(Source(source=str(tmp_path / "data")), single, folder=tmp_path)
    assert rows.file_names == ["a.jsonl", "b.jsonl", "c.jsonl", "d.jsonl", "e.jsonl"]
    assert [row["source"] for row in rows] == ["x", "y", "z", "v"]
    assert rows.file_numbers.tolist() == [1, 1, 3, 4]
    assert rows.subset([3, 1]).file_numbers.tolist() == [4, 1]


def test_the_languages_decide_what_is_read(tmp_path: Path) -> None:
    tmx = '<tmx><tu><tuv lang="en"><seg>a</seg></tuv><tuv lang="zh"><seg>中</seg></tuv></tu></tmx>'
    (tmp_path / "m.tmx").write_text(tmx, encoding="utf-8")
    found = [
        list(
            load_rows(
                [Source(source=str(tmp_path / "m.tmx"))],
                ["source"],
                ["target"],
                filters=None,
                folder=tmp_path / "cache",
                languages=Languages(source=source, target=target),
            )
        )
        for source, target in (("en", "zh"), ("zh", "en"))
    ]
    assert found == [[pair("a", "中")], [pair("中", "a")]]


def test_two_at_once_get_the_same_rows(tmp_path: Path) -> None:
    source = write(tmp_path / "t.jsonl", [pair(f"a {i}", "b") for i in range(500)])
    lengths: list[int] = []
    threads = [threading.Thread(target=lambda: lengths.append(len(load(source, folder=tmp_path)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lengths == [500] * 4
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_a_failed_load_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_bytes(b"source\ttarget\na\tb\nc\n")
    assert "line 3: 1 column, expected 2" in message(Source(source=str(tmp_path / "t.tsv")), folder=tmp_path)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("value", "shown"), [(3.5, "3.5"), ({"en": "x"}, '{"en": "x"}'), (["a", 1], '["a", 1]'), (True, "true")]
)
def test_a_value_that_is_no_text(tmp_path: Path, value: Any, shown: str) -> None:
    source = write(tmp_path / "t.jsonl", [pair("a", "b"), pair("c", value)])
    assert message(source, folder=tmp_path) == (
        f"{tmp_path / 't.jsonl'}: line 2: target: expected text, got {shown}\n  put it in quotes, or map another column"
    )


def test_single_texts_and_lists_do_not_mix(tmp_path: Path) -> None:
    source = write(tmp_path / "t.jsonl", [pair("a", "b"), pair("c", ["d"])])
    assert message(source, folder=tmp_path) == (
        f"{tmp_path / 't.jsonl'}: line 2: target: a list of texts, where the rows before have single texts\n"
        "  write it the same way in all rows of all sources: several texts are several references"
    )


def test_half_a_surrogate_pair(tmp_path: Path) -> None:
    source = write(tmp_path / "t.jsonl", [pair("a", "b"), pair("c", "\ud83d")])
    assert message(source, folder=tmp_path) == (
        f"{tmp_path / 't.jsonl'}: line 2: half of a surrogate pair is no character\n"
        "  write the character itself, or both halves"
    )


def test_no_row_is_left(tmp_path: Path) -> None:
    one = write(tmp_path / "1.jsonl", [pair("a", "a"), pair("", "b")])
    two = write(tmp_path / "2.jsonl", [pair("c", "")])
    assert message(one, two, folder=tmp_path) == (
        f"{tmp_path / '1.jsonl'} + {tmp_path / '2.jsonl'}: no row is left of 3 read"
        " (source equals target: 1, empty side: 2)\n"
        "  check that the right columns are mapped to the roles, and the recipe's data.filters"
    )


def test_a_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    expected = f"{path}: no such file\n  paths count from the recipe file's folder"
    assert message(Source(source=str(path)), folder=tmp_path) == expected


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    source = write(tmp_path / "t.jsonl", [pair("a", "b")])
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    with pytest.raises(OutputError) as caught:
        load(source, folder=tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'cache'}: the rows cannot be kept here: ")
    assert str(caught.value).endswith("\n  make room, or name another folder:  HFTOOLKIT_CACHE=FOLDER hftoolkit ...")


def test_what_a_model_is_given_is_one_text(tmp_path: Path) -> None:
    assert message(write(tmp_path / "t.jsonl", [pair("a", "b"), pair(["c", "d"], "e")]), folder=tmp_path) == (
        f"{tmp_path / 't.jsonl'}: line 2: source: a list of texts, expected a single one\n"
        "  only what is expected of a model may be said in several ways, such as references"
    )

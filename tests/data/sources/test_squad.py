import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_reading import read_all, write

from hftoolkit.data.sources.formats import format_of
from hftoolkit.data.sources.squad import is_squad
from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Source

ROLES = ("question", "context", "answers", "starts")
ADVICE = 'a document is {"data": [{"paragraphs": [{"context": TEXT, "qas": [{"question": TEXT, "answers": [...]}]}]}]}'

CONTEXT = "Normandy is in France, in the north of France."


def question(text: str, *answers: tuple[str, int], **more: Any) -> dict[str, Any]:
    return {"question": text, "answers": [{"text": text, "answer_start": at} for text, at in answers], **more}


def document(*questions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "version": "v2.0",
        "data": [{"title": "N", "paragraphs": [{"context": CONTEXT, "qas": [*questions]}]}],
        **more,
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dev.json"


def read(path: Path, content: Any, roles: tuple[str, ...] = ROLES, **keys: Any) -> Any:
    return read_all(roles, source=write(path, json.dumps(content)), **keys)


def message(path: Path, content: Any, **keys: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(path, content, **keys)
    return str(caught.value)


def test_questions_with_their_answers_and_where_they_stand(path: Path) -> None:
    asked = question("Where?", ("France", 15), ("in France", 12)), question("Which part?", ("north", 30))
    rows, census, places = read(path, document(*asked))
    assert rows == [
        {"question": "Where?", "context": CONTEXT, "answers": ["France", "in France"], "starts": [15, 12]},
        {"question": "Which part?", "context": CONTEXT, "answers": ["north"], "starts": [30]},
    ]
    assert (census.notes, census.dropped) == ([], {})
    assert places == [f"{path}: data[0].paragraphs[0].qas[{number}]" for number in (0, 1)]


def test_a_question_without_an_answer(path: Path) -> None:
    asked = question("Who?", is_impossible=True), {"question": "When?", "is_impossible": True}, question("Why?")
    rows, census, _ = read(path, document(*asked, question("Where?", ("France", 15))))
    assert [(row["answers"], row["starts"]) for row in rows] == [([], [])] * 3 + [(["France"], [15])]
    assert census.notes == []


def test_answers_of_a_question_that_has_none_are_left_out_and_counted(path: Path) -> None:
    asked = question("Who?", ("France", 15), is_impossible=True), question("Where?", ("France", 15))
    rows, census, _ = read(path, document(*asked))
    assert [row["answers"] for row in rows] == [[], ["France"]]
    assert census.notes == [
        "questions said to have no answer, whose answers are left out: 1"
        f" (the first: {path}: data[0].paragraphs[0].qas[0])"
    ]


def test_missing_answers_are_not_known(path: Path) -> None:
    rows, census, _ = read(path, document({"question": "Where?"}))
    assert rows == [{"question": "Where?", "context": CONTEXT, "answers": None, "starts": None}]
    assert census.notes == [f"{path} has no answer to any question"]


def test_questions_alone_need_no_answers(path: Path) -> None:
    rows, census, _ = read(path, document({"question": "Where?", "id": 7}), roles=("question", "context", "id"))
    assert rows == [{"question": "Where?", "context": CONTEXT, "id": "7"}]
    assert census.notes == []


def test_broken_positions_are_repaired_or_counted(path: Path) -> None:
    asked = question("Where?", ("in France", 11), ("France", 36), ("France", -1), ("Spain", -1))
    rows, census, _ = read(path, document(asked))
    assert (rows[0]["answers"], rows[0]["starts"]) == (["in France", "France", "France", "Spain"], [12, 39, 15, -1])
    where = f"(the first: {path}: data[0].paragraphs[0].qas[0])"
    assert census.notes == [
        f"repaired answer positions: 3 {where}",
        f"answers that are not in their context: they count in scores, and teach nothing: 1 {where}",
    ]


def test_the_list_in_which_cmrc_2018_came(path: Path) -> None:
    first = {"query_text": "在哪里？", "query_id": "DEV_0_QUERY_0", "answers": ["法国", "法国"]}
    second = {"query_text": "多少？", "query_id": "DEV_0_QUERY_1", "answers": [39764.0]}
    paragraphs = [{"context_id": "DEV_0", "context_text": "诺曼底在法国。", "qas": [first, second], "title": "诺曼底"}]
    rows, census, places = read(path, paragraphs, (*ROLES, "id", "title"))
    assert rows == [
        {
            "question": "在哪里？",
            "context": "诺曼底在法国。",
            "answers": ["法国", "法国"],
            "starts": [4, 4],
            "id": "DEV_0_QUERY_0",
            "title": "诺曼底",
        },
        {
            "question": "多少？",
            "context": "诺曼底在法国。",
            "answers": ["39764.0"],
            "starts": [-1],
            "id": "DEV_0_QUERY_1",
            "title": "诺曼底",
        },
    ]
    assert places == [f"{path}: [0].qas[0]", f"{path}: [0].qas[1]"]
    assert census.notes[0] == f"answers without a position, found in their context: 2 (the first: {path}: [0].qas[0])"


def test_columns_are_chosen_by_name(path: Path) -> None:
    content = document(question("Where?", id="a"))
    assert read(path, content, ("text",), columns={"text": "context"})[0] == [{"text": CONTEXT}]
    assert message(path, content, columns={"question": "questoin"}) == (
        f"{path}: no column 'questoin'; did you mean 'question'?\n"
        "  the columns are: question, context, answers, id, title\n"
        "  say which one holds which role:  columns: {question: question, context: context, answers: answers}"
    )


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_documents_are_told_from_json_lines_by_their_beginning(path: Path, indent: int | None, mark: str) -> None:
    for content in (
        document(question("Where?")),
        {"data": [], "version": 1.1},
        {"version": "1", "size": 3, "new": True, "a": '{"data": [', "data": [{"title": "x"}]},
        [{"context_text": CONTEXT, "qas": []}],
        [{"title": "N", "paragraphs": [{"qas": []}]}],
    ):
        source = write(path, mark + json.dumps(content, indent=indent))
        assert format_of(Source(source=source)) == "squad"
        assert format_of(Source(source=source, format="jsonl")) == "jsonl"
    for other in (
        {"question": "Where?", "context": CONTEXT, "answers": {"text": [], "answer_start": []}},
        {"text": '"data": [', "label": "x"},
        {"nested": {"data": []}},
        {"data": ["a", "b"], "tags": ["O", "O"]},
        {},
        "data",
    ):
        assert format_of(Source(source=write(path, mark + json.dumps(other, indent=indent)))) == "jsonl"
    poem = [{"author": "x", "paragraphs": ["qas"]}]
    assert format_of(Source(source=write(path, mark + json.dumps(poem, indent=indent)))) == "json"


def test_a_compressed_document(tmp_path: Path) -> None:
    path = tmp_path / "dev.json.gz"
    path.write_bytes(gzip.compress(json.dumps(document(question("Where?", ("France", 15)))).encode()))
    assert read_all(ROLES, source=str(path))[0][0]["starts"] == [15]


@given(st.binary(max_size=60) | st.text('{}[]": ,\\datqs\ufeff', max_size=60).map(str.encode))
def test_wild_beginnings_are_no_documents(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "wild.json"
    path.write_bytes(content)
    if b'"data"' not in content and b'"qas"' not in content:
        assert not is_squad(path)


def test_a_pattern_matches_documents(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        write(tmp_path / name, json.dumps(document(question(name))))
    rows, _, places = read_all(("question",), source=str(tmp_path / "*.json"))
    assert [row["question"] for row in rows] == ["a.json", "b.json"]
    assert places[1] == f"{tmp_path / 'b.json'}: data[0].paragraphs[0].qas[0]"


def test_all_places_that_are_no_questions_at_once(path: Path) -> None:
    paragraphs = [
        {"context": None, "qas": []},
        3,
        {"context": CONTEXT, "qas": [{"question": 1}, "x"]},
        {"context": CONTEXT},
    ]
    content = {"data": [{"paragraphs": paragraphs}, {"paragraphs": None}]}
    assert message(path, content) == (
        "6 rows do not fit\n"
        f"  {path}: data[0].paragraphs[0]: context: expected a text, got null\n"
        f"  {path}: data[0].paragraphs[1]: expected an object in braces, got 3\n"
        f"  {path}: data[0].paragraphs[2].qas[0]: question: expected a text, got 1\n"
        f'  {path}: data[0].paragraphs[2].qas[1]: expected an object in braces, got "x"\n'
        f"  {path}: data[0].paragraphs[3].qas: expected a list, got null\n"
        "  and 1 more\n"
        f"  {ADVICE}"
    )


@pytest.mark.parametrize(("content", "found"), [({}, "null"), ({"data": {}}, "{}"), (3, "3")])
def test_json_that_is_no_document(path: Path, content: Any, found: str) -> None:
    expected = f"{path}: data: expected a list, got {found}\n  {ADVICE}"
    assert message(path, content, format="squad") == expected


_KEYS = [
    "data",
    "paragraphs",
    "qas",
    "context",
    "question",
    "answers",
    "text",
    "answer_start",
    "is_impossible",
    "title",
]
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 60) | st.floats() | st.sampled_from([CONTEXT, "France", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(_VALUES, _VALUES)
def test_wild_documents_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, paragraphs: Any, answers: Any
) -> None:
    asked = [{"question": "Where?", "answers": answers}]
    content = {"data": [{"paragraphs": [{"context": CONTEXT, "qas": asked}]}, {"paragraphs": paragraphs}]}
    path = tmp_path_factory.getbasetemp() / "wild-document.json"
    try:
        rows, _, _ = read(path, content)
    except DataError:
        return
    for row in rows:
        assert all(
            start == -1 or row["context"].startswith(text, start)
            for text, start in zip(row["answers"] or [], row["starts"] or [], strict=True)
        )


def test_what_is_no_json(path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_all(ROLES, source=write(path, '{"data": [{"paragraphs": ['))
    assert str(caught.value) == (
        f"{path}: not JSON: Expecting value: line 1 column 27 (char 26)\n  copy the file again, or say:  format: jsonl"
    )


def test_answers_that_cannot_be_used_are_told_with_their_places(path: Path) -> None:
    asked = {"question": "a", "answers": [{"text": 1}, 2]}, {"question": "b", "answers": [{"answer_start": 3}]}
    assert message(path, document(*asked)) == (
        "2 rows do not fit\n"
        f'  {path}: data[0].paragraphs[0].qas[0]: answers: expected a text, got {{"text": 1}}\n'
        f"  {path}: data[0].paragraphs[0].qas[1]: answers: expected a text, got null\n"
        '  answers are {"text": ["Paris"], "answer_start": [17]}, [{"text": "Paris", "answer_start": 17}] or texts'
        " alone; there are none where the context has no answer"
    )


def test_values_too_deep_to_be_searched(path: Path) -> None:
    content: Any = []
    for _ in range(300):
        content = [content]
    assert message(path, content, format="squad").startswith(
        f"{path}: not JSON: more than 100 lists and objects inside each other\n"
    )

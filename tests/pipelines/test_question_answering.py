"""Question answering beside what transformers 4 did, input by input; its shapes; and what is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from finder import write_finder

from hftoolkit.errors import ModelError, UsageError
from hftoolkit.models.saved import Saved, write_saved
from hftoolkit.pipelines import load, pipeline
from hftoolkit.pipelines.question_answering import QuestionAnsweringPipeline

CONTEXT = "we like the great film, but the food was awful. it was not very good, and i hate it! the story was bad."
LONG = "the food was not very good, and we like it. " * 3 + "it was a great film? " + "i hate the bad story! " * 5
QUESTIONS = ["was it good?", "what was awful?", "who?"]


@pytest.fixture(scope="module")
def folder(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model from elsewhere that answers differently everywhere, but was never trained."""
    made = tmp_path_factory.mktemp("random")
    torch.manual_seed(5)
    model = transformers.AutoModelForQuestionAnswering.from_pretrained(str(bert))
    with torch.no_grad():
        model.qa_outputs.weight.normal_(std=1.5)
    model.save_pretrained(made)
    transformers.AutoTokenizer.from_pretrained(str(bert)).save_pretrained(made)
    return made


@pytest.fixture(scope="module")
def pipe(folder: Path) -> QuestionAnsweringPipeline:
    found = pipeline("question-answering", model=str(folder), device="cpu")
    assert isinstance(found, QuestionAnsweringPipeline)
    return found


@pytest.fixture(scope="module")
def finder(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> QuestionAnsweringPipeline:
    found = pipeline("question-answering", str(write_finder(bert, tmp_path_factory.mktemp("finder"))), device="cpu")
    assert isinstance(found, QuestionAnsweringPipeline)
    return found


def logits_of(pipe: QuestionAnsweringPipeline, question: str, context: str, size: int, stride: int) -> Iterator[Any]:
    """Every window as its tokenizer makes it: its encoding, what is possible in it, and both logits of its tokens."""
    encoded = pipe.tokenizer(
        question,
        context,
        truncation="only_second",
        max_length=size,
        stride=stride,
        return_overflowing_tokens=True,
        padding="longest",
        return_tensors="pt",
    )
    encoded.pop("overflow_to_sample_mapping")
    with torch.no_grad():
        output = pipe.model(**encoded)
    for number in range(len(encoded["input_ids"])):
        possible = np.array([place == 0 or side == 1 for place, side in enumerate(encoded.sequence_ids(number))])
        logits = np.stack([output.start_logits[number].numpy(), output.end_logits[number].numpy()])
        yield encoded[number], np.where(possible, logits, -10000.0)


def words_of(encoding: Any, first: int, last: int) -> tuple[int, int]:
    """The characters of the words that hold two tokens."""
    begin, _ = encoding.word_to_chars(encoding.token_to_word(first), 1)
    _, end = encoding.word_to_chars(encoding.token_to_word(last), 1)
    return begin, end


def transformers_4(
    pipe: QuestionAnsweringPipeline,
    question: str,
    context: str,
    *,
    top_k: int = 1,
    max_answer_len: int = 15,
    handle_impossible_answer: bool = False,
) -> list[dict[str, Any]]:
    """What its pipeline gives, by the same steps: two softmaxes, their products, whole words, the best."""
    ((encoding, logits),) = logits_of(pipe, question, context, 48, 24)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    start, end = shares / shares.sum(axis=1, keepdims=True)
    none = float(start[0] * end[0])
    start[0] = end[0] = 0.0
    table = np.tril(np.triu(np.outer(start, end)), max_answer_len - 1)
    best: dict[tuple[int, int], float] = {}
    for place in np.argsort(-table, axis=None)[: top_k * 2 + 10]:
        first, last = (int(number) for number in np.unravel_index(place, table.shape))
        if table[first, last] > 0:
            best.setdefault(words_of(encoding, first, last), float(table[first, last]))
    found = [{"score": s, "start": b, "end": e, "answer": context[b:e]} for (b, e), s in best.items()]
    if handle_impossible_answer:
        found.append({"score": none, "start": 0, "end": 0, "answer": ""})
    return sorted(found, key=lambda answer: -answer["score"])[:top_k]


def assert_same(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert [(one["start"], one["end"], one["answer"]) for one in found] == [
        (one["start"], one["end"], one["answer"]) for one in expected
    ]
    for one, other in zip(found, expected, strict=True):
        assert list(one) == ["score", "start", "end", "answer"]
        assert one["score"] == pytest.approx(other["score"], rel=1e-3)
        assert [type(value) for value in one.values()] == [float, int, int, str]


# As transformers 4 had it


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("context", [CONTEXT, "good", "Great Film"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"top_k": 3},
        {"top_k": 2, "max_answer_len": 2},
        {"handle_impossible_answer": True, "top_k": 4},
    ],
)
def test_answers_are_those_of_transformers_4(
    pipe: QuestionAnsweringPipeline, question: str, context: str, settings: dict[str, Any]
) -> None:
    found = pipe(question=question, context=context, **settings)
    expected = transformers_4(pipe, question, context, **settings)
    assert_same(found if settings.get("top_k", 1) > 1 else [found], expected)


@pytest.mark.parametrize("question", QUESTIONS)
def test_of_several_windows_the_best_sum_of_logits_wins(pipe: QuestionAnsweringPipeline, question: str) -> None:
    """And probabilities are over all of them: where transformers 4 took each for itself, they cannot be compared."""
    best, answer, share = -np.inf, (0, 0), 0.0
    for encoding, logits in logits_of(pipe, question, LONG, 32, 8):
        start, end = logits[:, 1:]
        table = np.where(np.tril(np.triu(np.ones((len(start), len(end)))), 14) > 0, start[:, None] + end, -np.inf)
        first, last = (int(number) for number in np.unravel_index(table.argmax(), table.shape))
        if table.max() > best:
            best, answer = float(table.max()), words_of(encoding, first + 1, last + 1)
            share = float(np.exp(best - np.log(np.exp(logits).sum(axis=1)).sum()))
    found = pipe(question=question, context=LONG, max_seq_len=32, doc_stride=8)
    assert (found["start"], found["end"]) == answer
    assert 0 < found["score"] < share


def test_one_question_gives_a_dict_and_several_a_list(pipe: QuestionAnsweringPipeline) -> None:
    one = pipe(question=QUESTIONS[0], context=CONTEXT)
    assert list(one) == ["score", "start", "end", "answer"]
    pairs = [{"question": question, "context": CONTEXT} for question in QUESTIONS]
    several = [pipe(pair) for pair in pairs]
    assert several[0] == one
    close = [pytest.approx(answer["score"], rel=1e-4) for answer in several]
    for found in (
        pipe(pairs),
        pipe(*pairs),
        pipe(tuple(pairs)),
        pipe(data=pairs),
        pipe(X=pairs),
        pipe(question=QUESTIONS, context=CONTEXT),
        pipe(question=QUESTIONS, context=[CONTEXT] * 3),
        list(pipe(pair for pair in pairs)),
    ):
        assert [answer["answer"] for answer in found] == [answer["answer"] for answer in several]
        assert [answer["score"] for answer in found] == close


def test_a_list_of_one_question_gives_its_dict(pipe: QuestionAnsweringPipeline) -> None:
    one = pipe(question=QUESTIONS[0], context=CONTEXT)
    assert pipe([{"question": QUESTIONS[0], "context": CONTEXT}]) == one
    assert pipe(question=QUESTIONS[:1], context=[CONTEXT]) == one
    assert pipe(QUESTIONS[0], CONTEXT) == one
    assert pipe({"question": QUESTIONS[0], "context": CONTEXT, "id": 7}) == one


def test_top_k_gives_lists(pipe: QuestionAnsweringPipeline) -> None:
    (first, second) = pipe(question=QUESTIONS[0], context=CONTEXT, top_k=2)
    assert first["score"] >= second["score"]
    found = pipe(question=QUESTIONS, context=CONTEXT, top_k=2)
    assert [len(answers) for answers in found] == [2, 2, 2]
    assert pipe(question=QUESTIONS[0], context=CONTEXT, topk=2) == [first, second]
    assert len(pipe(question=QUESTIONS[0], context=CONTEXT, top_k=1000)) > 100


def test_questions_are_read_as_they_are_answered(
    pipe: QuestionAnsweringPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hftoolkit.engines import heads

    monkeypatch.setattr(heads, "WINDOW", 4)
    monkeypatch.setattr(heads, "CHUNK", 4)
    read = []

    def questions() -> Iterator[dict[str, str]]:
        for number in range(100):
            read.append(number)
            yield {"question": QUESTIONS[number % 3], "context": "good film"}

    answers = pipe(questions())
    assert read == []
    assert next(answers)["answer"]
    assert len(read) == 4


def test_settings_may_be_given_once_for_all_calls(folder: Path, pipe: QuestionAnsweringPipeline) -> None:
    other = pipeline("question-answering", str(folder), device="cpu", batch_size=2, top_k=2, max_answer_len=1)
    found = other(question=QUESTIONS[0], context=LONG)
    assert_same(found, pipe(question=QUESTIONS[0], context=LONG, top_k=2, max_answer_len=1))
    assert other(question=QUESTIONS[0], context=LONG, top_k=1)["answer"] == found[0]["answer"]


@pytest.mark.parametrize("same", [{"padding": "longest"}, {"truncation": True}, {"num_workers": 2}, {"top_k": None}])
def test_settings_that_change_nothing(pipe: QuestionAnsweringPipeline, same: dict[str, Any]) -> None:
    plain = pipe(question=QUESTIONS[0], context=CONTEXT)
    assert pipe(question=QUESTIONS[0], context=CONTEXT, **same) == plain


def test_words_may_be_cut(finder: QuestionAnsweringPipeline) -> None:
    for settings, expected in (({}, "awfully"), ({"align_to_words": False}, "awful")):
        answer = finder(question="how?", context="it was awfully bad", **settings)
        assert answer["answer"] == expected
        assert "it was awfully bad"[answer["start"] : answer["end"]] == expected


def test_no_answer_is_an_empty_text(finder: QuestionAnsweringPipeline) -> None:
    found = finder(question="who?", context="the food was bad", handle_impossible_answer=True)
    assert found == {"score": pytest.approx(1.0, abs=0.1), "start": 0, "end": 0, "answer": ""}
    assert finder(question="who?", context="the food was bad")["answer"] != ""
    assert finder(question="who?", context="it was awful", handle_impossible_answer=True)["answer"] == "awful"
    assert finder(question="who?", context=" \n ")["answer"] == ""


def test_a_long_context_is_read_to_its_end(finder: QuestionAnsweringPipeline) -> None:
    context = "the food was not good. " * 900 + "we like the great old film."
    assert len(context) > 20_000
    answer = finder(question="what?", context=context)
    assert answer["answer"] == "great old film"
    assert context[answer["start"] : answer["end"]] == "great old film"


def test_long_questions_are_cut_and_it_is_said(
    finder: QuestionAnsweringPipeline, caplog: pytest.LogCaptureFixture
) -> None:
    for question, said in (("a?", []), ("was it good or bad?", ["1 question is longer than 2 tokens and was cut"])):
        caplog.clear()
        assert finder(question=question, context="it was awful", max_question_len=2)["answer"] == "awful"
        assert [record.getMessage() for record in caplog.records if record.name == "hftoolkit"] == said


# What a model of ours says


def tuned(finder: QuestionAnsweringPipeline, folder: Path, threshold: float, **options: Any) -> Any:
    """The finder as our own run leaves it."""
    finder.model.save_pretrained(folder)
    finder.tokenizer.save_pretrained(folder)
    settings = {"no_answer": True, "window": 32, "stride": 8, "max_answer_tokens": 30} | options
    write_saved(Saved("question_answering", state={"options": settings, "threshold": threshold}), folder)
    return load(str(folder), device="cpu")


def test_a_tuned_model_answers_as_it_was_measured(finder: QuestionAnsweringPipeline, tmp_path: Path) -> None:
    """No answer from its threshold on, and the longest answers as its recipe had them."""
    pipe = tuned(finder, tmp_path / "1", threshold=-100.0)
    assert isinstance(pipe, QuestionAnsweringPipeline)
    assert pipe(question="what?", context=CONTEXT)["answer"] == ""
    listed = pipe(question="what?", context=CONTEXT, top_k=3)
    assert [one["answer"] for one in listed[:2]] == ["", "great film"]
    assert pipe(question="what?", context=CONTEXT, handle_impossible_answer=False)["answer"] == "great film"
    long = "the great " + "very " * 20 + "film"
    longest = tuned(finder, tmp_path / "2", threshold=0.0, window=48)
    assert longest(question="what?", context=long, max_seq_len=48)["answer"] == long[4:]
    assert finder(question="what?", context=long)["answer"] != long[4:]  # of at most 15 tokens, as in transformers 4
    assert finder(question="what?", context=long, max_answer_len=30)["answer"] == long[4:]


def test_a_model_from_elsewhere_is_known_by_its_architecture(folder: Path, pipe: QuestionAnsweringPipeline) -> None:
    found = load(str(folder), device="cpu")
    assert isinstance(found, QuestionAnsweringPipeline)
    assert found(question=QUESTIONS[0], context=CONTEXT) == pipe(question=QUESTIONS[0], context=CONTEXT)
    assert type(found.model).__name__ == "BertForQuestionAnswering"
    assert found.tokenizer.decode([2]) == "[CLS]"


# What is refused


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (((), {}), "expected a question and a context\n  write:   pipe(question="),
        ((("who?",), {}), "expected a question and a context\n  write:   pipe(question="),
        ((([7],), {}), "expected a question with its context, got int\n  write:   {"),
        (((), {"question": "who?"}), "context: expected a text, got nothing"),
        (((), {"question": "", "context": "a"}), "question: expected a text, got nothing"),
        (((), {"question": "who?", "context": ""}), "context: expected a text, got nothing"),
        (((), {"question": "who?", "context": 7}), "context: expected a text, got int"),
        (
            ((), {"question": ["a", "b"], "context": ["a"]}),
            "2 questions, but 1 contexts\n  give one context for every question, or one for all that is not in a list",
        ),
        (((), {"question": "who?", "context": "a", "top_k": 0}), "top_k: expected a whole number from 1, got 0"),
        (
            ((), {"question": "who?", "context": "a", "doc_stride": -1}),
            "doc_stride: expected a whole number from 0, got -1",
        ),
        (
            ((), {"question": "who?", "context": "a", "max_seq_len": 99}),
            "max_seq_len: this model reads at most 48 tokens at once, got 99",
        ),
        (
            ((), {"question": "who?", "context": "a", "doc_stride": 99}),
            "doc_stride: 99 tokens are more than a window has: max_seq_len is 48",
        ),
        (
            ((), {"question": "who?", "context": "a", "align_to_words": 1}),
            "align_to_words: expected True or False, got 1",
        ),
        (
            ((), {"question": "who?", "context": "a", "temperature": 1}),
            "unknown setting 'temperature'\n  known: align_to_words, batch_size, doc_stride, handle_impossible_answer, "
            "max_answer_len, max_question_len, max_seq_len, top_k",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused(
    pipe: QuestionAnsweringPipeline, call: tuple[tuple[Any, ...], dict[str, Any]], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        list(pipe(*call[0], **call[1]))
    assert str(caught.value).startswith(message)


def test_a_model_must_be_named(finder: QuestionAnsweringPipeline) -> None:
    with pytest.raises(UsageError) as caught:
        pipeline("question-answering")
    assert str(caught.value) == (
        'question-answering: which model?\n  name one:   pipeline("question-answering", model="runs/mine")'
    )


def test_a_model_for_something_else_is_refused(bert: Path, tmp_path: Path) -> None:
    transformers.AutoModelForSequenceClassification.from_pretrained(str(bert)).save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(str(bert)).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="this model was not trained for this task: 'qa_outputs"):
        pipeline("question-answering", str(tmp_path), device="cpu")

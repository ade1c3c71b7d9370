"""Question answering: what windows teach, what the loss is, what is answered, when nothing is, how it is measured."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from finder import write_finder
from tokenizers_of_kinds import tokenizer_of

from hftoolkit.errors import DataError, ModelError
from hftoolkit.models.heads import NewHead
from hftoolkit.models.loading import Loaded, load_checkpoint
from hftoolkit.models.saved import Saved, read_saved, write_saved
from hftoolkit.reports.sections import Listing, Table
from hftoolkit.tasks.base import Row
from hftoolkit.tasks.question_answering import QuestionAnswering
from hftoolkit.tasks.question_answering.answering import Answered
from hftoolkit.training.batches import Batch

FILLER = "we like it, and not very good food. "


def row(context: str, *right: str, question: str = "was it good?") -> Row:
    """A question with its right answers, in order of where they stand."""
    return {
        "question": question,
        "context": context,
        "answers": list(right),
        "starts": [context.find(text) for text in right],
    }


ROWS = [
    row("i like the great film.", "great film"),
    row("the food was awful, was it not?", "awful"),
    row("the great story, it was a film", "great story, it was a film"),
]


@pytest.fixture(scope="module")
def finder(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_finder(bert, tmp_path_factory.mktemp("finder"))


@pytest.fixture(scope="module")
def loaded(finder: Path) -> Loaded:
    return load_checkpoint(str(finder), QuestionAnswering({}, None).auto_class)


def task_of(loaded: Loaded, **options: Any) -> QuestionAnswering:
    task = QuestionAnswering(options, None)
    task.bind(loaded.tokenizer, loaded.model.config)
    return task


def answered(task: QuestionAnswering, loaded: Loaded, rows: Sequence[Row], **settings: Any) -> list[Answered]:
    return list(task.predict(task.engine(loaded.model, loaded.tokenizer), rows, **settings))


def texts(task: QuestionAnswering, found: Sequence[Answered]) -> list[str]:
    return [task.chosen(one).text for one in found]


def batch_of(task: QuestionAnswering, loaded: Loaded, rows: Sequence[Row]) -> Batch:
    features = [one for found in task.encode(rows, loaded.tokenizer, 48) for one in found]
    return task.collate([{name: np.array(ids, np.int32) for name, ids in one.items()} for one in features], seed=0)


# What a model is needed


def test_encoders_answer_and_others_do_not() -> None:
    task = QuestionAnswering({}, None)
    assert task.auto_class(transformers.BertConfig(), "mine") == "AutoModelForQuestionAnswering"
    with pytest.raises(ModelError) as caught:
        task.auto_class(transformers.MarianConfig(), "mine")
    assert str(caught.value) == (
        "mine: a model of the kind 'marian' does not answer questions on a context\n"
        "  choose an encoder:   model: {name: google-bert/bert-base-uncased}"
    )


def test_a_head_for_something_else_is_replaced_and_one_that_answers_is_kept(bert: Path, finder: Path) -> None:
    task = QuestionAnswering({}, None)
    assert load_checkpoint(str(finder), task.auto_class, head=NewHead(task.head, 1)).new == ()
    assert load_checkpoint(str(bert), task.auto_class, head=NewHead(task.head, 1)).new == ("qa_outputs",)


def test_a_classifier_of_three_can_learn_to_answer(bert: Path, tmp_path: Path) -> None:
    transformers.AutoModelForSequenceClassification.from_pretrained(str(bert), num_labels=3).save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(str(bert)).save_pretrained(tmp_path)
    task = QuestionAnswering({}, None)
    found = load_checkpoint(str(tmp_path), task.auto_class, head=NewHead(task.head, 1))
    assert found.new == ("qa_outputs",)
    assert found.model.qa_outputs.out_features == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"is_fast": False}, "does not tell where its tokens stand in a text"),
        ({"pad_token_id": None}, "has no token for padding: texts of unequal lengths cannot go together"),
    ],
)
def test_tokenizers_that_will_not_do_are_refused(loaded: Loaded, change: dict[str, Any], message: str) -> None:
    class Other:
        is_fast, pad_token_id = True, 0

    other = Other()
    for name, value in change.items():
        setattr(other, name, value)
    with pytest.raises(ModelError, match=f"^this model's tokenizer {message}\n  choose an encoder"):
        QuestionAnswering({}, None).bind(other, None)


def test_a_tokenizer_without_a_token_in_front_is_refused(bert: Path) -> None:
    from tokenizers import processors

    bare = tokenizer_of("bytes", bert)
    bare.backend_tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    with pytest.raises(ModelError, match="puts no token in front of texts, which could stand for no answer\n"):
        QuestionAnswering({}, None).bind(bare, None)


SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 300,
    "max_position_embeddings": 50,
    "pad_token_id": 1,
}
DEBERTA = {"type_vocab_size": 0, "relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8}
MODERN = {"cls_token_id": 0, "sep_token_id": 2, "bos_token_id": 0, "eos_token_id": 2}


@pytest.mark.parametrize(
    ("config", "kind", "limit"),
    [
        (transformers.RobertaConfig(**SIZES, type_vocab_size=1), "bytes", 48),
        (transformers.DebertaV2Config(**SIZES, **DEBERTA), "pieces", 50),
        (transformers.ModernBertConfig(**SIZES, **MODERN), "bytes", 50),
    ],
)
def test_other_encoders_learn_and_answer(config: Any, kind: str, limit: int, bert: Path, tmp_path: Path) -> None:
    transformers.AutoModel.from_config(config).save_pretrained(tmp_path)
    tokenizer = tokenizer_of(kind, bert)
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    tokenizer.save_pretrained(tmp_path)
    task = QuestionAnswering({"stride": 8}, None)
    found = load_checkpoint(str(tmp_path), task.auto_class, head=NewHead(task.head, 1))
    task.bind(found.tokenizer, found.model.config)
    batch = batch_of(task, found, [row(FILLER + "it was awful", "awful")])
    (loss,) = task.loss(found.model, batch).values()
    loss.backward()
    engine = task.engine(found.model, found.tokenizer)
    assert engine.limit == limit
    (one, other) = task.predict(engine, [ROWS[0], row(FILLER * 9)])
    assert one.best
    assert one.best.text in ROWS[0]["context"]
    assert other.best


# What windows teach


@pytest.mark.parametrize("one", ROWS)
def test_the_places_of_an_answer_are_those_of_its_tokens(loaded: Loaded, one: Row) -> None:
    ((feature,),) = task_of(loaded).encode([one], loaded.tokenizer, 48)
    first, last = feature["answer"]
    assert loaded.tokenizer.decode(feature["input_ids"][first : last + 1]) == one["answers"][0]
    assert feature.keys() == {"input_ids", "token_type_ids", "context", "answer"}


def test_windows_without_the_answer_teach_that_they_have_none(loaded: Loaded) -> None:
    long = row(FILLER * 4 + "it was awful. " + FILLER * 4, "awful")
    (features,) = task_of(loaded, stride=8).encode([long], loaded.tokenizer, 40)
    found = [loaded.tokenizer.decode(one["input_ids"][one["answer"][0]]) for one in features]
    assert set(found) == {"[CLS]", "awful"}
    assert all(("awful" in loaded.tokenizer.decode(one["input_ids"])) == (one["answer"] != [0, 0]) for one in features)
    assert max(len(one["input_ids"]) for one in features) == 40


def test_an_answer_that_is_cut_in_two_is_in_neither_window(loaded: Loaded) -> None:
    context = "good " * 15 + "great bad bad bad film " + "good " * 15
    for stride, times in ((0, 0), (10, 1)):
        (features,) = task_of(loaded, stride=stride).encode(
            [row(context, "great bad bad bad film")], loaded.tokenizer, 26
        )
        assert sum(one["answer"] != [0, 0] for one in features) == times


def test_the_first_answer_that_is_in_the_context_is_learned(loaded: Loaded) -> None:
    ((feature,),) = task_of(loaded).encode([row("the food was awful", "bad", "awful", "food")], loaded.tokenizer, 48)
    assert loaded.tokenizer.decode(feature["input_ids"][feature["answer"][0]]) == "awful"


@pytest.mark.parametrize(
    ("one", "no_answer", "taught"),
    [
        (row("the food was bad"), False, 0),
        (row("the food was bad"), True, 1),
        (row("the food was bad", "awful"), False, 0),
        (row("the food was bad", "awful"), True, 0),
        (row("the food was \u200d bad", "\u200d"), True, 0),
    ],
)
def test_what_rows_without_an_answer_teach(loaded: Loaded, one: Row, no_answer: bool, taught: int) -> None:
    (features,) = task_of(loaded, no_answer=no_answer).encode([one], loaded.tokenizer, 48)
    assert [feature["answer"] for feature in features] == [[0, 0]] * taught


def test_models_of_bytes_are_not_told_which_text_a_token_is_of(bert: Path) -> None:
    tokenizer = tokenizer_of("bytes", bert)
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    task = QuestionAnswering({}, None)
    task.bind(tokenizer, transformers.BertConfig())
    assert task.others == ("context", "answer")
    ((feature,),) = task.encode([row("café 中文 was", "中文")], tokenizer, 48)
    first, last = feature["answer"]
    assert tokenizer.decode(feature["input_ids"][first : last + 1]).strip() == "中文"


# What the loss is


def test_the_loss_is_that_of_transformers_over_what_is_possible(loaded: Loaded) -> None:
    task = task_of(loaded)
    batch = batch_of(task, loaded, ROWS)
    places = batch.labels["question_answering"]
    (ours,) = task.loss(loaded.model, batch).values()
    assert ours.requires_grad
    with torch.no_grad():
        output = loaded.model(**batch.inputs)
    expected = 0.0
    for number, (first, last, begin, end) in enumerate(places.tolist()):
        for logits, place in ((output.start_logits[number], first), (output.end_logits[number], last)):
            possible = torch.cat([logits[:1], logits[begin:end]])
            target = torch.tensor(0 if place == 0 else place - begin + 1)
            expected += float(torch.nn.functional.cross_entropy(possible, target)) / 2
    assert ours.item() == pytest.approx(expected, rel=1e-4)
    assert batch.counts == {"question_answering": 3}
    assert batch.tokens == int(batch.inputs["attention_mask"].sum())
    assert batch.padded == batch.inputs["input_ids"].numel()


def test_a_batch_loses_what_its_rows_lose(loaded: Loaded) -> None:
    task = task_of(loaded)
    with torch.no_grad():
        alone = [float(task.loss(loaded.model, batch_of(task, loaded, [one]))["question_answering"]) for one in ROWS]
        together = float(task.loss(loaded.model, batch_of(task, loaded, ROWS))["question_answering"])
    assert together == pytest.approx(sum(alone), rel=1e-4)


def test_smoothing_spreads_a_share_over_what_is_possible(loaded: Loaded) -> None:
    task = task_of(loaded)
    batch = batch_of(task, loaded, ROWS[:1])
    ((first, last, begin, end),) = batch.labels["question_answering"].tolist()
    with torch.no_grad():
        (smooth,) = task.loss(loaded.model, batch, smoothing=0.2).values()
        output = loaded.model(**batch.inputs)
    expected = 0.0
    for logits, place in ((output.start_logits[0], first), (output.end_logits[0], last)):
        possible, target = torch.cat([logits[:1], logits[begin:end]]), torch.tensor(place - begin + 1)
        expected += float(torch.nn.functional.cross_entropy(possible, target, label_smoothing=0.2)) / 2
    assert float(smooth) == pytest.approx(expected, rel=1e-5)


def test_gradients_are_numbers(loaded: Loaded) -> None:
    task = task_of(loaded, no_answer=True)
    batch = batch_of(task, loaded, [*ROWS, row("the food was bad"), row("")])
    for smoothing in (0.0, 0.1):
        (loss,) = task.loss(loaded.model, batch, smoothing=smoothing).values()
        loaded.model.zero_grad()
        loss.backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in loaded.model.parameters())
    loaded.model.zero_grad()


# What is answered


def test_answers_stand_where_they_say(loaded: Loaded) -> None:
    task = task_of(loaded)
    found = answered(task, loaded, ROWS)
    assert texts(task, found) == [one["answers"][0] for one in ROWS]
    for one, prediction in zip(ROWS, found, strict=True):
        answer = task.chosen(prediction)
        assert one["context"][answer.start : answer.end] == answer.text
        assert 0.9 < answer.score <= 1
        assert task.record(prediction) == {
            "answer": answer.text,
            "score": answer.score,
            "start": answer.start,
            "end": answer.end,
        }


@pytest.mark.parametrize("before", [0, 100, 9_991, 19_900])
def test_an_answer_in_a_long_context_is_found(loaded: Loaded, before: int) -> None:
    context = (FILLER * 600)[:before] + "\n\nGREAT, very bad\tFilm! " + (FILLER * 600)[: 20_000 - before]
    task = task_of(loaded, stride=12)
    answer = answered(task, loaded, [row(context)])[0].best
    assert answer
    assert answer.text == "GREAT, very bad\tFilm"
    assert context[answer.start : answer.end] == answer.text


def test_the_best_answers_come_first_each_once(loaded: Loaded) -> None:
    context = FILLER * 3 + "an awful great film. " + FILLER * 3
    task = task_of(loaded, stride=16)
    (found,) = answered(task, loaded, [row(context)])
    listed = list(found.answers())
    assert len(listed) >= 20
    assert [one.text for one in listed[:3]] == ["great film", "awful great film", "awful"]
    assert len({(one.start, one.end) for one in listed}) == len(listed)
    scores = [one.score for one in listed]
    assert scores == sorted(scores, reverse=True)
    assert task.listed(found, 4) == listed[:4]
    assert task.ranked(found, 1) == [task.record(found)]
    (few,) = answered(task, loaded, [row("awful")])
    assert [one.text for one in task.listed(few, 4)] == ["awful"]


def test_no_answer_is_longer_than_it_may_be(loaded: Loaded) -> None:
    context = "the great bad bad food bad bad film"
    for longest in (7, 6):
        (found,) = answered(task_of(loaded, max_answer_tokens=longest), loaded, [row(context)])
        assert (next(found.answers()).text == context[4:]) == (longest == 7)
        assert max(len(one.text.split()) for one in found.answers()) <= longest


def test_answers_are_whole_words_unless_it_is_not_wanted(loaded: Loaded) -> None:
    task = task_of(loaded)
    for aligned, expected in ((True, "awfully"), (False, "awful")):  # awful ##l ##y
        assert texts(task, answered(task, loaded, [row("it was awfully bad")], aligned=aligned)) == [expected]


@pytest.mark.parametrize("context", ["", "   \n"])
def test_a_context_of_nothing_has_no_answer(loaded: Loaded, context: str) -> None:
    task = task_of(loaded)
    (found,) = answered(task, loaded, [row(context)])
    assert list(found.answers()) == []
    assert task.chosen(found) == found.none
    assert found.none.score == pytest.approx(1.0)
    assert task.shown(found) == "(none)"


def test_answers_do_not_depend_on_their_neighbours(loaded: Loaded) -> None:
    task = task_of(loaded)
    rows = [*ROWS, row(FILLER * 9 + "awful"), row("bad"), row("")]
    together = answered(task, loaded, rows)
    alone = [answered(task, loaded, [one])[0] for one in rows]
    for one, other in zip(together, alone, strict=True):
        assert task.chosen(one).text == task.chosen(other).text
        assert one.silence == pytest.approx(other.silence, abs=1e-4)


def test_long_questions_are_counted_and_said(loaded: Loaded) -> None:
    task = task_of(loaded, max_question_tokens=3, stride=8)
    engine = task.engine(loaded.model, loaded.tokenizer)
    list(task.predict(engine, [row(FILLER * 9), row("awful", question="a?")]))
    assert engine.notes == ("1 question is longer than 3 tokens and was cut",)
    assert task.cut_part == ("question", 3)
    shorter = task.adapted(max_question_tokens=2)
    list(shorter.predict(engine, [row("bad", question="was it good")]))
    assert engine.notes == ("2 questions are longer than 2 tokens and were cut",)


# When nothing is answered


def test_no_answer_is_given_where_it_is_more_probable(loaded: Loaded) -> None:
    rows = [ROWS[0], row("the food was bad, i hate it")]
    for no_answer, empty in ((False, False), (True, True)):
        task = task_of(loaded, no_answer=no_answer)
        found = answered(task, loaded, rows)
        assert [text == "" for text in texts(task, found)] == [False, empty]
        assert found[0].silence < 0 < found[1].silence
    assert [one.text for one in task.listed(found[0], 3)[:1]] == ["great film"]
    assert "" in [one.text for one in task.listed(found[0], 30)]
    assert task.listed(found[1], 3)[0] == found[1].none
    assert [one.text for one in task.listed(found[1], 3)].count("") == 1


def test_the_threshold_is_chosen_on_validation_rows_and_kept(loaded: Loaded, tmp_path: Path) -> None:
    """Where people find an answer in what the model thinks has none, and none where it thinks there is one."""
    task = task_of(loaded, no_answer=True)
    engine = task.engine(loaded.model, loaded.tokenizer)
    rows = [row("the food was bad"), row("bad"), row("it was awful", "it was awful")]
    notes = task.settle(engine, rows)
    silences = [one.silence for one in answered(task, loaded, rows)]
    assert max(silences[2:]) < task.threshold < min(silences[:2])
    assert texts(task, answered(task, loaded, rows)) == ["", "", "awful"]
    assert notes == [
        f"no answer is given where its log-probability exceeds that of the best answer by {task.threshold:.2f}, which "
        "gives the highest F1 on 3 validation rows"
    ]
    always = [row("the food was bad", "bad"), row("bad", "bad"), row("it was awful", "awful")]
    task.settle(engine, always)
    assert task.threshold > 0
    assert "" not in texts(task, answered(task, loaded, always))
    write_saved(task.saved(), tmp_path)
    saved = read_saved(tmp_path)
    assert saved
    again = QuestionAnswering.of(saved)
    again.restore(saved, None)
    assert isinstance(again, QuestionAnswering)
    assert (again.threshold, again.options) == (task.threshold, task.options)


def test_without_no_answer_there_is_no_threshold(loaded: Loaded) -> None:
    task = task_of(loaded)
    assert task.settle(task.engine(loaded.model, loaded.tokenizer), ROWS) == []
    assert task.saved() == Saved("question_answering", state={"options": task.options.model_dump()})
    task.restore(None, None)
    assert task.threshold == 0


# How it is measured


def test_scores_are_those_of_the_script(loaded: Loaded) -> None:
    task = task_of(loaded)
    rows = [
        row("i like the great film.", "film", "The great film!"),
        row("the food was awful", "food"),
        row("it was a great film", "great"),
    ]
    found = answered(task, loaded, rows)
    measures = {one.name: one for one in task.measures()}
    totals = {
        name: one.of(np.stack([one.counts(*pair) for pair in zip(found, rows, strict=True)]))
        for name, one in measures.items()
    }
    assert totals == {"F1": pytest.approx((100 + 0 + 200 / 3) / 3), "EM": pytest.approx(100 / 3)}
    assert task.goal == "F1"
    assert measures["F1"].signature({1, 2, 4}) == "SQuAD|right:1 to 4|longest:30"
    assert measures["EM"].signature({1}) == "SQuAD|right:1|longest:30"


def test_questions_with_and_without_an_answer_are_measured_apart(loaded: Loaded) -> None:
    task = task_of(loaded, no_answer=True)
    rows = [row("it was awful", "awful"), row("it was bad", "bad"), row("it was bad"), row("it was awful")]
    found = answered(task, loaded, rows)
    totals = {
        one.name: one.of(np.stack([one.counts(*pair) for pair in zip(found, rows, strict=True)]))
        for one in task.measures()
    }
    assert totals == {"F1": 50, "EM": 50, "HasAns F1": 50, "NoAns F1": 50}
    assert task.measures()[0].signature({0, 1}) == "SQuAD|right:0 to 1|longest:30|threshold:0.00"


def test_chinese_answers_are_measured_by_characters(loaded: Loaded) -> None:
    task = task_of(loaded, language="chinese")
    (measure, _) = task.measures()
    (found,) = answered(task, loaded, [row("awful", "awful")])
    assert measure.total(measure.counts(found, row("awful", "awful"))) == 100
    assert measure.signature({3}) == "CMRC|right:3|longest:30"


def test_the_baseline_answers_nothing(loaded: Loaded) -> None:
    task = task_of(loaded, no_answer=True)
    nothing = task.trivial(ROWS[0])
    assert (task.shown(nothing), task.chosen(nothing).text) == ("(none)", "")
    scores = [
        one.total(one.counts(nothing, row("bad", *right))) for one in task.measures()[:1] for right in ([], ["bad"])
    ]
    assert scores == [100, 0]


def test_a_report_shows_what_became_of_questions(loaded: Loaded) -> None:
    task = task_of(loaded)
    tally = task.tally()
    rows = [*ROWS, row("the food was awful", "food", question="what was bad?")]
    for number, pair in enumerate(zip(answered(task, loaded, rows), rows, strict=True), 1):
        tally.add(number, *pair)
    outcomes, _, lengths, mistakes = tally.sections()
    assert isinstance(outcomes, Table)
    assert isinstance(lengths, Table)
    assert isinstance(mistakes, Listing)
    assert [line[:2] for line in outcomes.rows] == [["exactly right", 3], ["nothing in common with a right answer", 1]]
    ((number, texts),) = mistakes.items
    assert number == 4
    assert texts[0] == "food"
    assert texts[1].startswith("awful (")
    assert texts[2] == "what was bad?"


def test_rows_are_shown_in_a_line_around_their_answer(loaded: Loaded) -> None:
    task = task_of(loaded)
    assert task.shown_row(row("it was\n awful", "was\n awful")) == ("was it good? / it was awful", ["was awful"])
    assert task.shown_row(row("it was bad")) == ("was it good? / it was bad", ["(none)"])
    long, right = task.shown_row(row("good " * 200 + "awful " + "bad " * 200, "awful"))
    assert right == ["awful"]
    assert long.startswith("was it good? / … good ")
    assert long.endswith(" …")
    assert " good awful bad " in long
    assert len(long) < 430


# What is said of rows


class Rows(list[Row]):
    """Stands for rows on disk."""


def test_what_is_learned_of_training_rows() -> None:
    task, able = QuestionAnswering({}, None), QuestionAnswering({"no_answer": True}, None)
    some: Any = [*ROWS, row("bad"), row("good")]
    assert task.learn(some[:3]) == able.learn(some[:3]) == []
    assert able.learn(some) == ["2 of 5 training questions have no answer"]
    assert task.learn(some) == [
        "2 of 5 training questions have no answer, which teaches nothing: see options.no_answer"
    ]
    with pytest.raises(DataError) as caught:
        task.learn(some[3:])
    assert str(caught.value) == (
        "data.train: none of its 2 questions has an answer: there is nothing to learn\n  look at data.train.columns"
    )


def test_texts_are_questions_and_contexts() -> None:
    assert list(QuestionAnswering({}, None).texts(ROWS[:1])) == ["was it good?", "i like the great film."]


def test_what_changes_features_is_in_their_key() -> None:
    keys = {
        QuestionAnswering(options, None).fingerprint()
        for options in ({}, {"window": 32}, {"stride": 1}, {"max_question_tokens": 9}, {"no_answer": True})
    }
    assert len(keys) == 5
    assert QuestionAnswering({"max_answer_tokens": 9, "language": "chinese"}, None).fingerprint() in keys

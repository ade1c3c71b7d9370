"""Tagging: what a model reads of a sentence, what it learns from it, what it says of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from tagged_rows import as_row, train_rows
from tagger import NAMES, TAGS, write_tagger
from tokenizers_of_kinds import tokenizer_of

from hftoolkit.errors import DataError, ModelError
from hftoolkit.models.heads import NewHead
from hftoolkit.models.loading import Loaded, load_checkpoint
from hftoolkit.models.saved import Saved, read_saved, write_saved
from hftoolkit.tasks.base import Row
from hftoolkit.tasks.ner import IGNORED, Ner
from hftoolkit.tasks.ner.sentences import Tagged
from hftoolkit.training.batches import Batch


@pytest.fixture(scope="module")
def tagger(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tagger(bert, tmp_path_factory.mktemp("tagger"))


@pytest.fixture(scope="module")
def loaded(tagger: Path) -> Loaded:
    return load_checkpoint(str(tagger), Ner({}, None).auto_class)


def task_of(loaded: Loaded, **options: Any) -> Ner:
    task = Ner(options, None)
    task.restore(loaded.saved, loaded.model.config)
    task.bind(loaded.tokenizer, loaded.model.config)
    return task


def tagged(task: Ner, loaded: Loaded, rows: Sequence[Row], **settings: Any) -> list[Tagged]:
    return list(task.predict(task.engine(loaded.model, loaded.tokenizer, **settings), rows))


def by_heart(words: Sequence[str]) -> list[str]:
    return [TAGS.get(word, "O") for word in words]


def batch_of(task: Ner, loaded: Loaded, rows: Sequence[Row], limit: int = 48) -> Batch:
    features = [one for found in task.encode(rows, loaded.tokenizer, limit) for one in found]
    return task.collate([{name: np.array(ids, np.int32) for name, ids in one.items()} for one in features], seed=0)


# What a model is needed


def test_encoders_tag_and_others_do_not() -> None:
    assert Ner({}, None).auto_class(transformers.BertConfig(), "mine") == "AutoModelForTokenClassification"
    with pytest.raises(ModelError) as caught:
        Ner({}, None).auto_class(transformers.MarianConfig(), "mine")
    assert str(caught.value) == (
        "mine: a model of the kind 'marian' does not tag words\n"
        "  choose an encoder:   model: {name: google-bert/bert-base-cased}"
    )


def test_a_base_model_gets_a_head_for_the_tags_of_the_rows(bert: Path, tmp_path: Path) -> None:
    task = Ner({}, None)
    task.learn(train_rows(tmp_path, "good/B-LOC film/O"))
    start = load_checkpoint(str(bert), task.auto_class, head=NewHead(task.head, 1))
    task.bind(start.tokenizer, start.model.config)
    assert start.new == ("classifier",)
    assert start.model.config.id2label == {0: "O", 1: "B-LOC", 2: "I-LOC"}
    assert task.tags.names == ["O", "B-LOC", "I-LOC"]


def test_a_model_that_knows_the_tags_keeps_its_head_and_their_order(tagger: Path, tmp_path: Path) -> None:
    task = Ner({}, None)
    task.learn(train_rows(tmp_path, "good/B-PER film/O"))
    start = load_checkpoint(str(tagger), task.auto_class, head=NewHead(task.head, 1))
    task.bind(start.tokenizer, start.model.config)
    assert start.new == ()
    assert task.tags.names == NAMES


# What is read


def test_the_first_token_of_a_word_carries_its_tag(loaded: Loaded) -> None:
    task = task_of(loaded)
    ((feature,),) = task.encode([as_row("great/B-ORG U.N./I-ORG it/O")], loaded.tokenizer, 48)
    tokens = loaded.tokenizer.convert_ids_to_tokens(feature["input_ids"])
    assert tokens == ["[CLS]", "great", "u", ".", "n", ".", "it", "[SEP]"]
    names = [NAMES[label] if label != IGNORED else "" for label in feature["labels"]]
    assert names == ["", "B-ORG", "I-ORG", "", "", "", "O", ""]


def test_words_that_are_nothing_to_the_tokenizer_teach_nothing(loaded: Loaded) -> None:
    task = task_of(loaded)
    found = task.encode([as_row("\ufeff/O good/B-PER"), as_row("\ufeff/O")], loaded.tokenizer, 48)
    assert found[1] == []
    assert found[0][0]["labels"] == [IGNORED, NAMES.index("B-PER"), IGNORED]


def test_a_tag_that_the_model_does_not_know_teaches_nothing(loaded: Loaded) -> None:
    ((feature,),) = task_of(loaded).encode([as_row("good/B-NEW it/O")], loaded.tokenizer, 48)
    assert feature["labels"] == [IGNORED, IGNORED, 0, IGNORED]


def test_other_tokenizers_are_read_with_the_blanks_of_a_text(bert: Path, loaded: Loaded) -> None:
    tokenizer = tokenizer_of("bytes", bert)
    task = task_of(loaded)
    task.bind(tokenizer, loaded.model.config)
    ((feature,),) = task.encode([as_row("a/O bc/B-PER")], tokenizer, 48)
    assert tokenizer.convert_ids_to_tokens(feature["input_ids"]) == ["<s>", "a", "Ġ", "b", "c", "</s>"]
    assert feature["labels"] == [IGNORED, 0, NAMES.index("B-PER"), IGNORED, IGNORED, IGNORED]


def test_whatever_a_tokenizer_puts_around_a_text_its_words_are_found(loaded: Loaded) -> None:
    task = task_of(loaded)
    row = as_row("good/B-PER it/O")
    words = loaded.tokenizer.convert_tokens_to_ids(["good", "it"])
    for before, behind in (([], []), ([], [3]), ([2, 4], [3])):
        task.frame = (before, behind)
        ((feature,),) = task.encode([row], loaded.tokenizer, 48)
        assert feature["input_ids"] == [*before, *words, *behind]
        assert feature["labels"][len(before) :][:2] == [NAMES.index("B-PER"), 0]
        assert sorted(feature["labels"])[: len(before + behind)] == [IGNORED] * len(before + behind)


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(st.sampled_from([*TAGS, "it", "U.N.", "\ufeff", "letters" * 5]), min_size=1, max_size=40),
    limit=st.integers(3, 20),
)
def test_every_word_is_learned_once_and_no_window_is_too_long(loaded: Loaded, words: list[str], limit: int) -> None:
    task = task_of(loaded)
    row = {"words": words, "tags": ["B-PER"] * len(words)}
    (features,) = task.encode([row], loaded.tokenizer, limit)
    labels = [label for feature in features for label in feature["labels"] if label != IGNORED]
    assert labels == [NAMES.index("B-PER")] * sum(word != "\ufeff" for word in words)
    assert all(len(feature["input_ids"]) == len(feature["labels"]) <= limit for feature in features)


# What is learned


def test_the_loss_is_the_sum_over_words_whatever_the_batch(loaded: Loaded) -> None:
    task = task_of(loaded)
    rows = [as_row("great/B-ORG film/I-ORG U.N./B-PER it/O"), as_row("food/O"), as_row("it/O is/O awful/B-LOC")]
    whole = batch_of(task, loaded, rows)
    assert whole.counts == {"tags": 8}
    assert (whole.tokens, whole.padded) == (9 + 3 + 5, 27)
    with torch.no_grad():
        total = float(task.loss(loaded.model, whole)["tags"])
        parts = [float(task.loss(loaded.model, batch_of(task, loaded, [row]))["tags"]) for row in rows]
        smoothed = float(task.loss(loaded.model, whole, smoothing=0.1)["tags"])
    assert total == pytest.approx(sum(parts), rel=1e-5)
    assert smoothed > total * 0.9
    one = batch_of(task, loaded, rows[:1])
    with torch.no_grad():
        logits = loaded.model(**one.inputs).logits.flatten(0, 1)
    theirs = torch.nn.functional.cross_entropy(logits, one.labels["tags"].flatten(), reduction="mean")
    assert parts[0] == pytest.approx(4 * float(theirs), rel=1e-5)


def test_a_long_sentence_counts_as_often_as_it_has_words(loaded: Loaded) -> None:
    task = task_of(loaded)
    row = {"words": ["it"] * 100, "tags": ["O"] * 100}
    batch = batch_of(task, loaded, [row], limit=16)
    assert batch.counts == {"tags": 100}
    assert batch.inputs["input_ids"].shape[1] == 16


# What is said


def test_words_get_their_tags_whatever_stands_around_them(loaded: Loaded) -> None:
    rows = [as_row(text) for text in ("great/O film/O it/O", "food/O", "awful/O U.N./O story/O")]
    found = tagged(task_of(loaded), loaded, rows)
    assert [one.tags for one in found] == [by_heart(row["words"]) for row in rows]
    alone = [tagged(task_of(loaded), loaded, [row])[0].scores for row in rows]
    assert [one.scores for one in found] == [pytest.approx(scores, abs=1e-6) for scores in alone]
    assert all(0.9 < score < 1 for one in found for score in one.scores)


@settings(max_examples=30, deadline=None)
@given(words=st.lists(st.sampled_from([*TAGS, "it", "U.N.", "\ufeff", "letters" * 5]), max_size=150))
def test_a_sentence_of_any_length_is_tagged_whole(loaded: Loaded, words: list[str]) -> None:
    """The model has 48 positions."""
    task = task_of(loaded)
    engine = task.engine(loaded.model, loaded.tokenizer)
    (found,) = task.predict(engine, [{"words": words, "tags": []}])
    assert found.tags == by_heart(words)
    assert [score == 0 for score in found.scores] == [word == "\ufeff" for word in words]
    assert engine.unread == words.count("\ufeff")


def test_texts_are_tagged_too(loaded: Loaded) -> None:
    (found,) = tagged(task_of(loaded), loaded, [{"text": "It: great film, awful."}])
    assert found.sentence.words == ["It", ":", "great", "film", ",", "awful", "."]
    assert found.tags == ["O", "O", "B-ORG", "I-ORG", "O", "I-LOC", "O"]


def test_a_long_text_with_spans_comes_back_as_it_is(loaded: Loaded) -> None:
    text = "(great film)... it is  food!\n" * 50
    places = [start for start in range(len(text)) if text.startswith("great film", start)]
    spans = sorted(
        [f"{start} {start + 10} ORG" for start in places] + [f"{start + 22} {start + 26} LOC" for start in places],
        key=lambda span: int(span.split()[0]),
    )
    row = {"text": text, "spans": spans}
    task = task_of(loaded, spans=True)
    (found,) = tagged(task, loaded, [row])
    counts = task.measures()[0].counts(found, row)
    assert counts.tolist() == [100, 100, 100]


def test_what_a_model_calls_by_no_tag_is_none(bert: Path, tmp_path: Path) -> None:
    names = ["O", "B-LOC", "X"]
    folder = write_tagger(bert, tmp_path / "tagger", names=names, tags={"good": "B-LOC", "bad": "X"})
    other = load_checkpoint(str(folder), Ner({}, None).auto_class)
    (found,) = tagged(task_of(other), other, [{"words": ["good", "bad", "it"]}])
    assert found.tags == ["B-LOC", "O", "O"]


def test_plain_tags(bert: Path, tmp_path: Path) -> None:
    folder = write_tagger(bert, tmp_path / "tagger", names=["NOUN", "ADJ"], tags={"good": "ADJ"})
    other = load_checkpoint(str(folder), Ner({}, None).auto_class)
    task = task_of(other)
    assert (task.goal, task.trivial_name) == ("accuracy", "the tag 'O' everywhere")
    (found,) = tagged(task, other, [as_row("good/ADJ film/NOUN \ufeff/X")])
    assert found.tags == ["ADJ", "NOUN", "O"]


def test_rows_that_break_the_scheme_stop_a_run_before_it_begins(loaded: Loaded) -> None:
    task = task_of(loaded, scheme="IOB2")
    row = as_row("it/O film/I-ORG")
    with pytest.raises(DataError, match="word 2, 'film': 'I-ORG' follows 'O'"):
        task.encode([row], loaded.tokenizer, 48)
    with pytest.raises(DataError, match="word 2, 'film': 'I-ORG' follows 'O'"):
        task.measures()[0].counts(task.trivial(row), row)


def test_a_user_gives_texts_and_files_may_have_words() -> None:
    task = Ner({}, None)
    assert task.asked == task.asked_in("jsonl", {"text"}) == ("text",)
    assert task.asked_in("conll", ()) == task.asked_in("conllu", ()) == task.asked_in("jsonl", {"words"}) == ("words",)


# What is kept


def test_a_tuned_checkpoint_says_how_its_rows_were(tmp_path: Path) -> None:
    task = Ner({"characters": True}, None)
    task.learn(train_rows(tmp_path, "a/DET b/NOUN c/NOUN"))
    assert task.goal == "accuracy"
    assert task.trivial_name == "the tag 'NOUN' everywhere"
    write_saved(task.saved(), tmp_path)
    saved = read_saved(tmp_path)
    assert saved is not None
    assert saved.task == "ner"
    other = Ner.of(saved)
    assert isinstance(other, Ner)
    other.restore(saved, transformers.BertConfig(**task.tags.settings()))
    assert (other.options, other.goal, other.trivial_name) == (task.options, "accuracy", "the tag 'NOUN' everywhere")


def test_a_tuned_checkpoint_does_not_hold_other_rows_to_its_scheme(tmp_path: Path) -> None:
    task = Ner({}, None)
    task.learn(train_rows(tmp_path, "a/B-LOC b/E-LOC"))
    other = Ner.of(task.saved())
    assert isinstance(other, Ner)
    other.restore(task.saved(), transformers.BertConfig(**task.tags.settings()))
    assert other.rows.scheme is None
    assert other.tags.names == ["O", "B-LOC", "I-LOC"]


def test_what_changes_features_is_in_the_fingerprint(tmp_path: Path) -> None:
    prints = set()
    for number, sentence in enumerate(("a/B-LOC b/O", "a/B-PER b/O", "a/I-LOC b/O")):
        task = Ner({}, None)
        (tmp_path / str(number)).mkdir()
        task.learn(train_rows(tmp_path / str(number), sentence))
        prints.add(task.fingerprint())
    prints.add(Ner({"characters": True}, None).fingerprint())
    assert len(prints) == 4


def test_texts_for_a_tokenizer() -> None:
    assert list(Ner({}, None).texts([as_row("a/O b/O")])) == ["a b"]
    assert list(Ner({"spans": True}, None).texts([{"text": "a,b", "spans": []}])) == ["a , b"]


def test_rows_with_spans_have_other_roles() -> None:
    assert (Ner({}, None).inputs, Ner({}, None).answers) == (("words",), ("tags",))
    assert (Ner({"spans": True}, None).inputs, Ner({"spans": True}, None).answers) == (("text",), ("spans",))
    assert Saved("ner").task == Ner.name()

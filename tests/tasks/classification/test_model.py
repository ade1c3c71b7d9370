"""From rows to tensors, losses and predictions: beside transformers' own, and the same whatever goes together."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from reviews import REVIEWS, classification, loaded
from tiny_models import tiny_classifier
from transformers import AutoTokenizer, LlamaConfig, LlamaForSequenceClassification

from hftoolkit.errors import ModelError
from hftoolkit.models.heads import NewHead
from hftoolkit.models.loading import Loaded, load_checkpoint
from hftoolkit.models.saved import Saved
from hftoolkit.tasks.classification import Classification

LABELS = ["label 0", "label 1", "label 2", "label 3"]
PROBLEMS = {"single_label": "label", "multi_label": "labels", "regression": "number"}
ANSWERS: dict[str, list[Any]] = {
    "single_label": ["label 0", "label 3", "label 1", "label 3", "label 2"],
    "multi_label": [["label 0"], [], ["label 1", "label 3"], ["label 2"], LABELS],
    "regression": ["0.5", "-3", "2", "1e2", "0"],
}
TEXTS = ["good film", "a", "not very good, i hate it", "the story was awful", "great!"]


def rows_of(problem: str) -> list[dict[str, Any]]:
    return [
        {"text": text, "pair": f"{text} a", PROBLEMS[problem]: answer}
        for text, answer in zip(TEXTS, ANSWERS[problem], strict=True)
    ]


class Lesson:
    """A checkpoint and a task that knows it."""

    def __init__(self, bert: Path, folder: Path, problem: str, **options: Any) -> None:
        self.task = classification(problem=problem, **options)
        self.rows = rows_of(problem)
        self.task.learn(loaded(folder / "rows.jsonl", self.rows, self.task))
        kind = "regression" if problem == "regression" else f"{problem}_classification"
        made = tiny_classifier(bert, folder / "model", 1 if problem == "regression" else 4, kind)
        self.start = load_checkpoint(str(made), self.task.auto_class, head=NewHead(self.task.head, 1))
        self.task.bind(self.start.tokenizer, self.start.model.config)

    def features(self, rows: Sequence[dict[str, Any]] | None = None, limit: int = 48) -> list[dict[str, Any]]:
        found = self.task.encode(rows or self.rows, self.start.tokenizer, limit)
        return [{name: np.array(ids, np.int32) for name, ids in feature.items()} for (feature,) in found]

    def loss(self, features: Sequence[dict[str, Any]], **settings: Any) -> tuple[float, int]:
        batch = self.task.collate(features, 0)
        with torch.no_grad():
            total = self.task.loss(self.start.model, batch, **settings)["classification"]
        return float(total), batch.counts["classification"]

    def predicted(self, **settings: Any) -> list[Any]:
        engine = self.task.engine(self.start.model, self.start.tokenizer, **settings)
        return list(self.task.predict(engine, self.rows))


@pytest.fixture
def lesson(bert: Path, tmp_path: Path) -> Any:
    return lambda problem="single_label", **options: Lesson(bert, tmp_path, problem, **options)


EVERY = pytest.mark.parametrize("problem", list(PROBLEMS))


# The head


@EVERY
def test_a_checkpoint_that_knows_the_labels_keeps_its_head(lesson: Any, problem: str) -> None:
    assert lesson(problem).start.new == ()


@pytest.mark.parametrize("order", [LABELS[::-1], ["label 2", "label 0", "label 3", "label 1"]])
def test_and_its_order(bert: Path, tmp_path: Path, order: list[str]) -> None:
    made = tiny_classifier(bert, tmp_path / "model", 4, None)
    start = load_checkpoint(str(made), classification().auto_class)
    start.model.config.id2label = dict(enumerate(order))
    start.model.config.label2id = {name: number for number, name in enumerate(order)}
    start.model.save_pretrained(made)
    task = classification()
    task.learn(loaded(tmp_path / "rows.jsonl", rows_of("single_label")[1:4], task))  # label 3 twice, label 1
    again = load_checkpoint(str(made), task.auto_class, head=NewHead(task.head, 1))
    task.bind(again.tokenizer, again.model.config)
    assert again.new == ()
    assert task.problem.labels.names == order  # type: ignore[attr-defined]
    assert task.problem.labels.shares == [{"label 1": 1 / 3, "label 3": 2 / 3}.get(name, 0.0) for name in order]  # type: ignore[attr-defined]
    assert task.shown(task.trivial({})) == "label 3"


@pytest.mark.parametrize(
    ("problem", "labels", "kind"),
    [
        ("single_label", 2, "single_label_classification"),
        ("multi_label", 4, "single_label_classification"),
        ("single_label", 4, "multi_label_classification"),
        ("regression", 2, None),
        ("single_label", 1, "regression"),
    ],
)
def test_one_that_does_something_else_gets_another(
    bert: Path, tmp_path: Path, problem: str, labels: int, kind: str | None
) -> None:
    made = tiny_classifier(bert, tmp_path / "model", labels, kind)
    task = classification(problem=problem)
    task.learn(loaded(tmp_path / "rows.jsonl", rows_of(problem), task))
    start = load_checkpoint(str(made), task.auto_class, head=NewHead(task.head, 1))
    assert start.new == ("classifier",)
    expected = {0: "LABEL_0"} if problem == "regression" else dict(enumerate(LABELS))
    assert start.model.config.id2label == expected
    assert start.model.config.label2id == {name: number for number, name in expected.items()}
    assert start.model.config.problem_type == (problem if problem == "regression" else f"{problem}_classification")


def test_an_architecture_that_does_not_classify(marian: Path) -> None:
    with pytest.raises(ModelError) as caught:
        load_checkpoint(str(marian), classification().auto_class)
    assert str(caught.value) == (
        f"{marian}: a model of the kind 'marian' does not classify\n"
        "  choose an encoder:   model: {name: google-bert/bert-base-uncased}"
    )


def test_a_tokenizer_that_cannot_pad(lesson: Any) -> None:
    found = lesson()
    found.start.tokenizer.pad_token = None
    with pytest.raises(ModelError, match=r"^this model's tokenizer has no token for padding"):
        found.task.bind(found.start.tokenizer, found.start.model.config)


# Features and batches


def test_a_feature_is_what_the_tokenizer_gives(lesson: Any) -> None:
    found = lesson()
    for feature, text, number in zip(found.features(), TEXTS, [0, 3, 1, 3, 2], strict=True):
        assert feature["input_ids"].tolist() == found.start.tokenizer(text)["input_ids"]
        assert feature["labels"].tolist() == [number]
        assert set(feature) == {"input_ids", *found.task.others}


def test_a_pair_says_of_which_text_each_token_is(lesson: Any) -> None:
    found = lesson(pair=True)
    assert found.task.others == ("token_type_ids", "labels")
    for feature, row in zip(found.features(), found.rows, strict=True):
        expected = found.start.tokenizer(row["text"], row["pair"])
        assert feature["input_ids"].tolist() == expected["input_ids"]
        assert feature["token_type_ids"].tolist() == expected["token_type_ids"]
        assert 1 in expected["token_type_ids"]


@pytest.mark.parametrize("pair", [False, True])
def test_what_is_too_long_is_cut_at_its_end_and_marked(lesson: Any, pair: bool) -> None:
    found = lesson(pair=pair)
    rows = [{**found.rows[0], "text": "good " * 60}, found.rows[1]]
    long, short = found.features(rows, limit=12)
    tokens = found.start.tokenizer.convert_ids_to_tokens(long["input_ids"].tolist())
    assert (len(tokens), tokens[0], tokens[-1]) == (12, "[CLS]", "[SEP]")
    assert tokens.count("[SEP]") == 1 + pair
    assert "film" in tokens or not pair  # the longer text of a pair is cut
    assert ("cut" in long, "cut" in short) == (True, False)


def test_labels_that_the_model_does_not_know_teach_nothing(lesson: Any) -> None:
    found = lesson()
    strange = {"text": "good", "label": "label 9"}
    features = found.features([*found.rows, strange])
    assert features[-1]["labels"].tolist() == [-100]
    assert found.loss(features) == pytest.approx(found.loss(features[:-1]))
    assert found.loss(features)[1] == 5
    found = lesson("multi_label")
    assert found.features([{"text": "good", "labels": ["label 9", "label 2"]}])[0]["labels"].tolist() == [2]


def test_numbers_come_back_as_they_were(lesson: Any) -> None:
    found = lesson("regression")
    wanted = found.task.collate(found.features(), 0).labels["classification"]
    assert wanted.tolist() == [0.5, -3.0, 2.0, 100.0, 0.0]


# Losses


@EVERY
@pytest.mark.parametrize("pair", [False, True])
def test_the_loss_is_that_of_transformers(lesson: Any, problem: str, pair: bool) -> None:
    found = lesson(problem, pair=pair)
    batch = found.task.collate(found.features(), 0)
    total, count = found.loss(found.features())
    with torch.no_grad():
        expected = found.start.model(**batch.inputs, labels=batch.labels["classification"]).loss
    assert total / count == pytest.approx(float(expected), rel=1e-5)
    assert batch.tokens == sum(len(feature["input_ids"]) for feature in found.features())
    assert batch.padded == batch.inputs["input_ids"].numel()


@EVERY
@pytest.mark.parametrize("weights", ["none", "balanced"])
def test_pieces_of_a_batch_add_up(lesson: Any, problem: str, weights: str) -> None:
    if problem == "regression" and weights != "none":
        pytest.skip("a number has no labels")
    found = lesson(problem, class_weights=weights)
    features = found.features()
    whole, pieces = found.loss(features), [found.loss(features[:2]), found.loss(features[2:])]
    assert whole[0] == pytest.approx(sum(total for total, _ in pieces), rel=1e-5)
    assert whole[1] == sum(count for _, count in pieces)


def test_balanced_weights_let_every_label_count_the_same(lesson: Any) -> None:
    found = lesson(class_weights="balanced")
    one_by_one = [found.loss([feature])[0] for feature in found.features()]
    plain = lesson().loss
    shares = {0: 0.2, 1: 0.2, 2: 0.2, 3: 0.4}
    for feature, weighted in zip(found.features(), one_by_one, strict=True):
        assert weighted == pytest.approx(plain([feature])[0] / (4 * shares[int(feature["labels"][0])]), rel=1e-5)


def test_given_weights_are_taken_and_left_out_ones_are_1(lesson: Any) -> None:
    found, plain = lesson(class_weights={"label 3": 5.0}), lesson()
    for feature in found.features():
        factor = 5.0 if feature["labels"][0] == 3 else 1.0
        assert found.loss([feature])[0] == pytest.approx(factor * plain.loss([feature])[0], rel=1e-5)


def test_balanced_weights_of_several_labels_are_for_the_rows_that_have_them(lesson: Any) -> None:
    found, plain = lesson("multi_label", class_weights="balanced"), lesson("multi_label")
    empty = found.features()[1:2]
    assert found.loss(empty) == pytest.approx(plain.loss(empty))
    scales = found.task.problem.labels.weights(lambda share: (1 - share) / share)
    assert scales == pytest.approx([1.5, 1.5, 1.5, 1.5])


@pytest.mark.parametrize("problem", ["single_label", "multi_label"])
def test_smoothing_spreads_a_share(lesson: Any, problem: str) -> None:
    found = lesson(problem)
    batch = found.task.collate(found.features(), 0)
    with torch.no_grad():
        logits = found.start.model(**batch.inputs).logits
    wanted = batch.labels["classification"]
    if problem == "single_label":
        expected = torch.nn.functional.cross_entropy(logits, wanted, label_smoothing=0.2, reduction="sum")
    else:
        expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted * 0.8 + 0.1, reduction="sum")
    assert found.loss(found.features(), smoothing=0.2)[0] == pytest.approx(float(expected), rel=1e-5)


# Predictions


@EVERY
@pytest.mark.parametrize("pair", [False, True])
def test_scores_are_those_of_the_model(lesson: Any, problem: str, pair: bool) -> None:
    found = lesson(problem, pair=pair)
    functions = {
        "single_label": lambda x: x.softmax(-1),
        "multi_label": lambda x: x.sigmoid(),
        "regression": lambda x: x,
    }
    for prediction, row in zip(found.predicted(batch_tokens=16), found.rows, strict=True):
        texts = [row[role] for role in found.task.inputs]
        with torch.no_grad():
            logits = found.start.model.eval()(**found.start.tokenizer(*texts, return_tensors="pt")).logits[0]
        assert np.allclose(prediction.scores, functions[problem](logits).numpy(), atol=1e-5)


@EVERY
def test_half_precision_says_so_and_answers_alike(lesson: Any, problem: str) -> None:
    found = lesson(problem)
    exact, rough = found.predicted(), found.predicted(precision="bf16")
    assert all(np.allclose(one.scores, other.scores, atol=0.1) for one, other in zip(exact, rough, strict=True))
    assert found.task.engine(found.start.model, found.start.tokenizer, precision="bf16").signature == "torch|bf16"


def test_a_prediction_as_text_and_as_values(lesson: Any) -> None:
    found = lesson()
    first = found.predicted()[0]
    best = int(first.scores.argmax())
    assert found.task.shown(first) == f"label {best}"
    assert found.task.record(first) == {"label": f"label {best}", "score": float(first.scores[best])}
    ranked = found.task.ranked(first, 3)
    assert [one["label"] for one in ranked] == [f"label {place}" for place in np.argsort(-first.scores)[:3]]
    assert ranked[0] == found.task.record(first)
    assert len(found.task.ranked(first, 9)) == 4


def test_of_several_labels_those_above_the_threshold(lesson: Any) -> None:
    found = lesson("multi_label")
    first = found.predicted()[0]
    found.task.problem.threshold = float(np.sort(first.scores)[2])
    chosen = [f"label {place}" for place in np.flatnonzero(first.scores >= found.task.problem.threshold)]
    assert len(chosen) == 2
    assert found.task.shown(first) == ", ".join(chosen)
    assert found.task.record(first)["labels"] == chosen
    assert all(score >= found.task.problem.threshold for score in found.task.record(first)["scores"])
    found.task.problem.threshold = 1.1
    assert found.task.shown(first) == "(none)"
    assert found.task.record(first) == {"labels": [], "scores": []}


def test_a_number(lesson: Any) -> None:
    found = lesson("regression")
    first = found.predicted()[0]
    assert found.task.record(first) == {"number": float(first.scores[0])}
    assert found.task.ranked(first, 2) == [found.task.record(first)]
    assert found.task.shown(first) == f"{first.scores[0]:.4g}"


# The threshold


def test_the_threshold_is_the_best_one_and_is_kept(lesson: Any) -> None:
    found = lesson("multi_label")
    engine = found.task.engine(found.start.model, found.start.tokenizer)
    (note,) = found.task.settle(engine, found.rows)
    threshold = found.task.problem.threshold
    assert note == (
        f"a label is predicted from a probability of {threshold:.3f} on, which gives the highest macro F1 on 5 "
        "validation rows"
    )

    def macro(at: float) -> float:
        found.task.problem.threshold = at
        measure = found.task.measures()[0]
        counts = [measure.counts(p, row) for p, row in zip(found.predicted(), found.rows, strict=True)]
        return float(measure.of(np.stack(counts)))

    tried = {float(score) for prediction in found.predicted() for score in prediction.scores}
    assert macro(threshold) == pytest.approx(max(macro(at) for at in tried))
    found.task.problem.threshold = threshold
    assert found.task.saved().state == {"options": found.task.options.model_dump(mode="json"), "threshold": threshold}
    assert found.task.measures()[0].signature({1}) == f"threshold {threshold:.3f}"


@pytest.mark.parametrize("problem", ["single_label", "regression"])
def test_others_have_none(lesson: Any, problem: str) -> None:
    found = lesson(problem)
    assert found.task.settle(None, found.rows) == []
    assert set(found.task.saved().state) == {"options"}


# A checkpoint by itself


@EVERY
@pytest.mark.parametrize("pair", [False, True])
def test_it_is_restored_from_what_was_saved(lesson: Any, problem: str, pair: bool) -> None:
    found = lesson(problem, pair=pair)
    if problem == "multi_label":
        found.task.problem.threshold = 0.25
    again = Classification.of(found.task.saved())
    again.restore(found.task.saved(), found.start.model.config)
    again.bind(found.start.tokenizer, found.start.model.config)
    engine = again.engine(found.start.model, found.start.tokenizer)
    assert [again.record(p) for p in again.predict(engine, found.rows)] == [
        found.task.record(p) for p in found.predicted()
    ]
    assert again.saved() == found.task.saved()


@pytest.mark.parametrize(
    ("labels", "kind", "problem"),
    [
        (4, "single_label_classification", "single_label"),
        (4, None, "single_label"),
        (4, "multi_label_classification", "multi_label"),
        (1, "regression", "regression"),
        (1, None, "regression"),
    ],
)
def test_one_from_elsewhere_says_what_it_gives(
    bert: Path, tmp_path: Path, labels: int, kind: str | None, problem: str
) -> None:
    start: Loaded = load_checkpoint(str(tiny_classifier(bert, tmp_path, labels, kind)), classification().auto_class)
    task = Classification.of(None)
    task.restore(None, start.model.config)
    assert task.options.problem == problem
    assert task.answers == (PROBLEMS[problem],)


def test_one_that_gives_something_else_than_the_recipe_asks_for(lesson: Any) -> None:
    found = lesson("multi_label")
    with pytest.raises(ModelError) as caught:
        classification(problem="single_label").restore(None, found.start.model.config)
    assert str(caught.value) == (
        "this model gives several labels, the recipe asks for one label\n"
        "  choose another model, or correct options.problem"
    )


def test_the_fingerprint_knows_what_changes_features(tmp_path: Path) -> None:
    def fingerprint(**options: Any) -> str:
        task = classification(**options)
        task.learn(loaded(tmp_path / "rows.jsonl", REVIEWS, task))
        return task.fingerprint()

    plain = fingerprint()
    assert fingerprint(class_weights="balanced") == plain
    assert fingerprint(label_names=["pro", "con"]) != plain
    assert Classification.of(Saved("classification")).fingerprint() != plain


def test_a_decoder_that_knows_no_padding_is_told(bert: Path, tmp_path: Path) -> None:
    config = LlamaConfig(
        vocab_size=120,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=48,
        num_labels=2,
        pad_token_id=None,
    )
    LlamaForSequenceClassification(config).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(str(bert)).save_pretrained(tmp_path)
    task = classification()
    start = load_checkpoint(str(tmp_path), task.auto_class)
    task.bind(start.tokenizer, start.model.config)
    assert start.model.config.pad_token_id == 0  # in training
    start.model.config.pad_token_id = None  # as an adapter's base is loaded
    rows = [{"text": text} for text in TEXTS]
    engine = task.engine(start.model, start.tokenizer)
    together = [found.scores for found in task.predict(engine, rows)]
    alone = [next(task.predict(engine, [row])).scores for row in rows]
    assert np.allclose(together, alone, atol=1e-5)

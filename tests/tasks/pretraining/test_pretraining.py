"""Pretraining: what a model reads of a row, what it learns from it, what it makes of masks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from guesser import write_guesser
from running import write_jsonl
from tiny_models import tiny_bert

from hftoolkit.data.rows import Rows, load_rows
from hftoolkit.errors import ModelError, RecipeError
from hftoolkit.models.heads import NewHead
from hftoolkit.models.loading import Loaded, load_checkpoint
from hftoolkit.recipe.reader import recipe_from
from hftoolkit.recipe.schema import Source
from hftoolkit.tasks import task_options
from hftoolkit.tasks.pretraining import Pretraining
from hftoolkit.tasks.pretraining.filling import Filled, Gap, filled_in
from hftoolkit.training.batches import Batch
from hftoolkit.training.loop import mean_loss

IGNORED = -100
STORIES = [
    "The film was good. I like it very much.\nThe story was not bad. We like the story.",
    "The food was awful. We hate food! I hate it.",
    "It was a great story.",
    "The film is bad. The food is good.\nIt is not great. The story is a good story. We like it.",
]
ROWS: list[dict[str, Any]] = [{"text": text} for text in STORIES]


@pytest.fixture(scope="module")
def loaded(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load_checkpoint(str(write_guesser(bert, tmp_path_factory.mktemp("guesser"))), task().auto_class)


@pytest.fixture(scope="module")
def paired(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    folder = write_guesser(bert, tmp_path_factory.mktemp("paired"), paired=True)
    return load_checkpoint(str(folder), task(next_sentence=True).auto_class)


def task(**options: Any) -> Pretraining:
    return Pretraining(options, None)


def bound(loaded: Loaded, **options: Any) -> Pretraining:
    found = task(**options)
    found.bind(loaded.tokenizer, loaded.model.config)
    return found


def arrays(features: Sequence[Sequence[Mapping[str, list[int]]]]) -> list[dict[str, Any]]:
    return [{name: np.array(ids, np.int32) for name, ids in one.items()} for found in features for one in found]


def batch_of(task: Pretraining, loaded: Loaded, rows: Sequence[Any] = ROWS, limit: int = 24, seed: int = 1) -> Batch:
    return task.collate(arrays(task.encode(rows, loaded.tokenizer, limit)), seed)


def predicted(task: Pretraining, loaded: Loaded, rows: Sequence[Any] = ROWS, **settings: Any) -> list[Filled]:
    return list(task.predict(task.engine(loaded.model, loaded.tokenizer, **settings), rows))


def loaded_rows(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Rows:
    path = write_jsonl(folder / "rows.jsonl", rows)
    return load_rows([Source(source=str(path))], ("text",), (), filters=None, folder=folder / "cache")


# What a model is needed


def test_which_models_can_be_pretrained() -> None:
    config = transformers.BertConfig()
    assert task().auto_class(config, "mine") == "AutoModelForMaskedLM"
    assert task(next_sentence=True).auto_class(config, "mine") == "AutoModelForPreTraining"
    assert task().auto_class(transformers.RobertaConfig(), "mine") == "AutoModelForMaskedLM"
    with pytest.raises(ModelError) as caught:
        task().auto_class(transformers.MarianConfig(), "mine")
    assert str(caught.value) == (
        "mine: a model of the kind 'marian' does not guess masked tokens\n"
        "  choose an encoder:   model: {name: google-bert/bert-base-uncased}"
    )
    with pytest.raises(ModelError) as caught:
        task(next_sentence=True).auto_class(transformers.RobertaConfig(), "mine")
    assert str(caught.value) == (
        "mine: a model of the kind 'roberta' does not learn what the next sentence is\n"
        "  leave out options.next_sentence, or choose a BERT:   model: {name: google-bert/bert-base-uncased}"
    )


@pytest.mark.parametrize(("token", "word"), [("mask_token", "masks"), ("pad_token", "padding")])
def test_a_tokenizer_without_a_token_that_is_needed(loaded: Loaded, token: str, word: str) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(loaded.folder))
    setattr(tokenizer, token, None)
    with pytest.raises(ModelError) as caught:
        task().bind(tokenizer, loaded.model.config)
    assert str(caught.value) == (
        f"this model's tokenizer has no token for {word}: it was not made for guessing masked tokens\n"
        "  choose an encoder:   model: {name: google-bert/bert-base-uncased}"
    )


def test_a_new_head_knows_how_often_each_token_is(bert: Path, loaded: Loaded, tmp_path: Path) -> None:
    wanted = task()
    wanted.learn(loaded_rows(tmp_path, [{"text": "good good good film"}]))
    start = load_checkpoint(str(bert), wanted.auto_class, head=NewHead(wanted.head, 1))
    wanted.bind(start.tokenizer, start.model.config)
    wanted.begin(start.model, start.new)
    bias = start.model.cls.predictions.bias.tolist()
    ordinary = len(bias) - 5
    for token, count in {"good": 4, "film": 2, "bad": 1, "[MASK]": 1}.items():
        number = start.tokenizer.convert_tokens_to_ids(token)
        assert bias[number] == pytest.approx(np.log(count / (ordinary + 4)), rel=1e-5)
    more = transformers.BertForMaskedLM(transformers.BertConfig(vocab_size=ordinary + 9, hidden_size=24))
    wanted.begin(more, ("cls",))
    assert more.cls.predictions.bias.tolist() == pytest.approx([*bias, *[min(bias)] * 4])
    before = loaded.model.cls.predictions.bias.clone()
    wanted.begin(loaded.model, ("bert.pooler", "cls.seq_relationship"))
    assert torch.equal(loaded.model.cls.predictions.bias, before)


@pytest.mark.parametrize("next_sentence", [False, True])
def test_a_new_head_is_tied_to_the_embeddings(bert: Path, next_sentence: bool) -> None:
    wanted = task(next_sentence=next_sentence)
    start = load_checkpoint(str(bert), wanted.auto_class, head=NewHead(wanted.head, 1))
    layer = start.model.get_output_embeddings()
    assert layer.weight is start.model.bert.embeddings.word_embeddings.weight
    assert layer.bias is start.model.cls.predictions.bias
    assert start.new == (("cls.predictions", "cls.seq_relationship") if next_sentence else ("cls.predictions",))
    again = load_checkpoint(str(bert), wanted.auto_class, head=NewHead(wanted.head, 1))
    for one, other in zip(start.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_model_whose_output_layer_cannot_be_kept_apart_is_refused_at_once(bert: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(bert))
    config = transformers.MobileBertConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        embedding_size=8, intra_bottleneck_size=8,
    )  # fmt: skip
    wanted = task()
    wanted.bind(tokenizer, config)
    with pytest.raises(ModelError) as caught:
        wanted.check(transformers.MobileBertForMaskedLM(config), tokenizer, ROWS, "mine")
    assert str(caught.value) == (
        "the output layer of the architecture 'mobilebert' cannot be kept apart, as pretraining needs\n"
        "  choose another encoder:   model: {name: google-bert/bert-base-uncased}"
    )


def test_a_model_is_tried_on_rows_longer_than_it_reads(loaded: Loaded) -> None:
    bound(loaded).check(loaded.model, loaded.tokenizer, [{"text": "good film " * 60}], "mine")
    bound(loaded).check(loaded.model, loaded.tokenizer, [{"text": "图"}], "mine")


def test_options_that_exclude_each_other() -> None:
    recipe = {
        "task": "pretraining",
        "model": {"scratch": {}},
        "data": {"train": {"source": "a.tsv"}, "validation": {"split": 0.1}, "test": {"source": "b.tsv"}},
        "options": {"packed": True, "next_sentence": True},
        "output": "runs/x",
    }
    with pytest.raises(RecipeError) as caught:
        recipe_from(recipe, tasks=task_options())
    assert str(caught.value) == (
        "recipe: 1 problem in this recipe\n"
        "  options: 'packed' beside 'next_sentence', which fills windows with sentences of one row: "
        "leave one of them out"
    )
    with pytest.raises(RecipeError, match=r"options\.language: .*'klingon'"):
        recipe_from(recipe | {"options": {"language": "klingon"}}, tasks=task_options())


# What is read


def texts_of(loaded: Loaded, features: Sequence[Mapping[str, list[int]]]) -> list[str]:
    return [loaded.tokenizer.decode(feature["input_ids"]) for feature in features]


def test_a_row_is_read_in_windows(loaded: Loaded) -> None:
    (found,) = bound(loaded).encode([{"text": "the film was good. the food was good."}], loaded.tokenizer, 9)
    assert texts_of(loaded, found) == ["[CLS] the film was good. [SEP]", "[CLS] the food was good. [SEP]"]
    assert bound(loaded).encode([{"text": "图 图"}], loaded.tokenizer, 9) == [[]]  # nothing to be guessed


def test_packed_windows_hold_several_rows(loaded: Loaded) -> None:
    rows = [{"text": text} for text in ("the film.", "a story.", "good food!", "it is bad.")]
    found = bound(loaded, packed=True).encode(rows, loaded.tokenizer, 11)
    assert [texts_of(loaded, one) for one in found] == [
        ["[CLS] the film. [SEP] a story. [SEP]"],
        [],
        ["[CLS] good food! [SEP] it is bad. [SEP]"],
        [],
    ]
    assert bound(loaded, packed=True).encode([], loaded.tokenizer, 10) == []


def test_words_are_numbered_where_whole_words_are_masked(loaded: Loaded) -> None:
    ((feature,),) = bound(loaded, whole_words=True).encode([{"text": "fog good"}], loaded.tokenizer, 24)
    assert feature["words"] == [0, 1, 1, 1, 2, 3]


def test_pairs_are_read_with_their_segments(paired: Loaded) -> None:
    wanted = bound(paired, next_sentence=True)
    assert wanted.others == ("token_type_ids", "next_sentence")
    for row in wanted.encode(ROWS, paired.tokenizer, 24):
        for feature in row:
            text = paired.tokenizer.decode(feature["input_ids"])
            first = text.removeprefix("[CLS] ").partition(" [SEP]")[0]
            assert text.count("[SEP]") == (1 if feature["next_sentence"] == [IGNORED] else 2)
            assert feature["token_type_ids"].index(1) if 1 in feature["token_type_ids"] else True
            ones = len(paired.tokenizer(first)["input_ids"])
            rest = len(feature["input_ids"]) - ones
            assert feature["token_type_ids"] == [0] * ones + [1] * rest
            assert len(feature["input_ids"]) <= 24


# What is learned


def test_the_loss_is_transformers_own(loaded: Loaded) -> None:
    wanted = bound(loaded)
    batch = batch_of(wanted, loaded)
    with torch.no_grad():
        expected = float(loaded.model(**batch.inputs, labels=batch.labels["masked_tokens"]).loss)
    found = mean_loss(loaded.model, [batch], wanted.loss, torch.device("cpu"))
    assert found == pytest.approx(expected, rel=1e-5)


def test_the_losses_of_both_tasks_are_transformers_own(paired: Loaded) -> None:
    wanted = bound(paired, next_sentence=True)
    batch = batch_of(wanted, paired)
    assert set(batch.labels["next_sentence"].tolist()) == {0, 1, IGNORED}
    with torch.no_grad():
        expected = paired.model(
            **batch.inputs,
            labels=batch.labels["masked_tokens"],
            next_sentence_label=batch.labels["next_sentence"],
        ).loss
    found = mean_loss(paired.model, [batch], wanted.loss, torch.device("cpu"))
    assert found == pytest.approx(float(expected), rel=1e-5)


def test_the_gradients_are_those_of_transformers_loss(paired: Loaded) -> None:
    wanted = bound(paired, next_sentence=True)
    batch = batch_of(wanted, paired)
    model = paired.model.eval()

    def gradients(loss: torch.Tensor) -> dict[str, torch.Tensor]:
        model.zero_grad()
        loss.backward()
        return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}

    sums = wanted.loss(model, batch)
    ours = gradients(sum(sums[name] / batch.counts[name] for name in sums))  # type: ignore[arg-type]
    labels = {"labels": batch.labels["masked_tokens"], "next_sentence_label": batch.labels["next_sentence"]}
    theirs = gradients(model(**batch.inputs, **labels).loss)
    model.zero_grad()
    assert ours.keys() == theirs.keys() == dict(model.named_parameters()).keys()
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, theirs[name], rtol=1e-3, atol=1e-5)


def test_masks_are_drawn_anew_for_every_step(loaded: Loaded) -> None:
    wanted = bound(loaded)
    one, same, other = (batch_of(wanted, loaded, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.inputs["input_ids"], same.inputs["input_ids"])
    assert not torch.equal(one.labels["masked_tokens"], other.labels["masked_tokens"])
    assert one.counts["masked_tokens"] == int((one.labels["masked_tokens"] != IGNORED).sum())


def test_more_is_masked_where_it_is_asked_for(loaded: Loaded) -> None:
    few, many = (batch_of(bound(loaded, mask=share), loaded, ROWS * 10) for share in (0.15, 0.5))
    shares = [batch.counts["masked_tokens"] / batch.tokens for batch in (few, many)]
    assert shares == [pytest.approx(0.15, abs=0.05), pytest.approx(0.45, abs=0.1)]


def test_whole_words_are_masked(loaded: Loaded) -> None:
    wanted = bound(loaded, whole_words=True, mask=0.5)
    features = arrays(wanted.encode([{"text": "fog bog good log " * 3}], loaded.tokenizer, 24) * 20)
    labels = wanted.collate(features, 1).labels["masked_tokens"].numpy()
    for row, feature in zip(labels != IGNORED, features, strict=True):
        for word in range(1, feature["words"][-1]):
            assert len(set(row[: len(feature["words"])][feature["words"] == word].tolist())) == 1


# What is predicted


def test_held_out_rows_are_masked_by_themselves(loaded: Loaded) -> None:
    wanted = bound(loaded)
    found = predicted(wanted, loaded)
    assert [len(one.gaps) for one in found] == [max(1, len(one.gaps)) for one in found]
    backwards = predicted(wanted, loaded, ROWS[::-1], batch_tokens=30)[::-1]
    for one, other in zip(found, backwards, strict=True):
        assert [(gap.right, gap.guess) for gap in one.gaps] == [(gap.right, gap.guess) for gap in other.gaps]
        assert one.nats == pytest.approx(other.nats, rel=1e-5)


def test_what_is_counted_is_what_transformers_gives(loaded: Loaded) -> None:
    wanted = bound(loaded)
    for row, found in zip(ROWS, predicted(wanted, loaded), strict=True):
        hits, nats, gaps = 0, 0.0, 0
        for feature in wanted.reading.masked([row], 48)[0]:
            labels = torch.tensor(feature["labels"])
            with torch.inference_mode():
                logits = loaded.model(input_ids=torch.tensor([feature["input_ids"]])).logits[0]
            chosen = labels != IGNORED
            hits += int((logits.argmax(-1)[chosen] == labels[chosen]).sum())
            nats += float(torch.nn.functional.cross_entropy(logits[chosen], labels[chosen], reduction="sum"))
            gaps += int(chosen.sum())
        assert found.counts().tolist() == pytest.approx([hits, nats, gaps], rel=1e-4)


def test_pairs_are_judged(paired: Loaded) -> None:
    wanted = bound(paired, next_sentence=True)
    rows = ROWS * 5
    found = predicted(wanted, paired, rows)
    features = wanted.reading.masked(rows, 48)
    labels = [[feature["next_sentence"][0] for feature in row] for row in features]
    assert [one.pairs for one in found] == [sum(label != IGNORED for label in row) for row in labels]
    hits = 0
    for row in features:
        for feature in row:
            inputs = {name: torch.tensor([feature[name]]) for name in ("input_ids", "token_type_ids")}
            with torch.inference_mode():
                guess = int(paired.model(**inputs).seq_relationship_logits.argmax())
            hits += guess == feature["next_sentence"][0]
    assert sum(one.pair_hits for one in found) == hits


def test_masks_that_a_user_wrote_are_filled(loaded: Loaded) -> None:
    wanted = bound(loaded)
    texts = ["The [MASK] was [MASK].", "Nothing to guess", ""]
    rows = [wanted.row_of({"text": text}) for text in texts]
    two, none, blank = predicted(wanted, loaded, rows)
    assert two.text == filled_in(texts[0], "[MASK]", [gap.guess for gap in two.gaps])
    assert wanted.shown(two) == two.text
    assert (none.text, none.gaps, blank.text) == ("Nothing to guess", (), "")
    assert wanted.record(two) == {"prediction": two.text, "score": [gap.guesses[0][1] for gap in two.gaps]}
    ranked = wanted.ranked(two, 3)
    assert [one["tokens"][0] for one in ranked] == [token for token, _ in two.gaps[0].guesses[:3]]
    assert [one["score"] for one in ranked] == [
        [first, second] for first, second in zip(*([s for _, s in gap.guesses[:3]] for gap in two.gaps), strict=True)
    ]
    assert two.counts().tolist() == [0, 0, 0]


def test_guesses_are_put_where_the_masks_are() -> None:
    assert filled_in("The [MASK] was [MASK] .", "[MASK]", ["film", "good"]) == "The film was good ."
    assert filled_in("walk [MASK] <mask>", "<mask>", [" home"]) == "walk [MASK] home"
    assert filled_in("a walk [MASK] home", "[MASK]", ["##ing"]) == "a walking home"
    assert filled_in("nothing", "[MASK]", []) == "nothing"


def test_what_is_shown_of_a_held_out_row(loaded: Loaded) -> None:
    found = Filled((Gap("good", (("good", 0.9),)), Gap("bad", (("film", 0.5),))), hits=1, nats=2.0)
    assert bound(loaded).shown(found) == "good film (bad)"


# What is measured


def test_measures_are_functions_of_sums(loaded: Loaded, paired: Loaded) -> None:
    accuracy, perplexity = bound(loaded).measures()
    assert (accuracy.name, accuracy.higher) == ("masked accuracy", True)
    assert (perplexity.name, perplexity.higher) == ("perplexity", False)
    assert accuracy.total(np.array([3, 10.0, 4])) == 75.0
    assert perplexity.total(np.array([3, 10.0, 4])) == pytest.approx(np.exp(2.5))
    assert (accuracy.total(np.zeros(3)), perplexity.total(np.zeros(3))) == (0.0, 1.0)
    size = len(loaded.tokenizer)
    assert accuracy.signature({0}) == f"mask:0.15|unit:token|window:48|vocabulary:{size}|seed:row"
    words = bound(loaded, whole_words=True, mask=0.3).measures()[0]
    assert words.signature({0}) == f"mask:0.3|unit:word|window:48|vocabulary:{size}|seed:row"
    following = bound(paired, next_sentence=True).measures()[2]
    assert following.name == "next sentence accuracy"
    assert following.total(np.array([1, 2])) == 50.0
    assert following.counts(Filled((), pairs=4, pair_hits=3), {}).tolist() == [3, 4]


def test_the_baseline_is_the_most_frequent_token(loaded: Loaded, tmp_path: Path) -> None:
    wanted = bound(loaded)
    wanted.learn(loaded_rows(tmp_path, [{"text": "good good good film"}]))
    found = list(wanted.trivials(ROWS))
    size = len(loaded.tokenizer) - 5
    for one, model in zip(found, predicted(wanted, loaded), strict=True):
        assert [gap.right for gap in one.gaps] == [gap.right for gap in model.gaps]
        assert {gap.guess for gap in one.gaps} == {"good"}
        assert one.hits == sum(gap.right == "good" for gap in one.gaps)
        chances = [{"good": 4, "film": 2}.get(str(gap.right), 1) / (size + 4) for gap in one.gaps]
        assert one.nats == pytest.approx(-np.log(chances).sum(), rel=1e-5)
    assert wanted.trivial(ROWS[2]) == found[2]


def test_the_baseline_says_that_everything_follows(paired: Loaded, tmp_path: Path) -> None:
    wanted = bound(paired, next_sentence=True)
    wanted.learn(loaded_rows(tmp_path, ROWS))
    rows = ROWS * 30
    found = list(wanted.trivials(rows))
    assert [one.pairs for one in found] == [one.pairs for one in predicted(wanted, paired, rows)]
    labels = [feature["next_sentence"][0] for row in wanted.reading.masked(rows[:64], 48) for feature in row]
    assert sum(one.pair_hits for one in found[:64]) == labels.count(0)


# What looks wrong


def test_rows_with_too_little_in_them() -> None:
    assert task().doubts(ROWS) == []
    assert task().doubts([{"text": "图书馆在哪里？我不知道。"}]) == []
    assert task().doubts([{"text": "good"}] * 3) == [
        "half of the rows have fewer than 5 words: there is little to guess from\n"
        "  make rows of whole documents, or fill windows with several:   options: {packed: true}"
    ]
    assert task(packed=True).doubts([{"text": "good"}] * 3) == []
    single = [{"text": "The film was very good."}] * 2
    assert task(next_sentence=True).doubts([*single, ROWS[0]]) == [
        "2 of 3 rows looked at have a single sentence: they do not teach what comes next\n"
        "  make rows of whole documents, or leave out options.next_sentence"
    ]


def test_a_tuned_checkpoint_knows_its_options(paired: Loaded) -> None:
    found = Pretraining.of(paired.saved)
    assert isinstance(found, Pretraining)
    assert found.options.next_sentence
    assert Pretraining.of(None).name() == "pretraining"


def test_a_long_text_is_read_to_its_end(bert: Path, tmp_path: Path) -> None:
    tiny_bert(tmp_path / "bert", positions=600)
    start = load_checkpoint(str(write_guesser(tmp_path / "bert", tmp_path / "guesser")), task().auto_class)
    wanted = bound(start)
    (found,) = predicted(wanted, start, [{"text": "the film was good. " * 500}])
    assert 250 < len(found.gaps) < 500  # 15 % of 2,500
    assert wanted.measures()[0].signature({0}).split("|")[2] == "window:512"

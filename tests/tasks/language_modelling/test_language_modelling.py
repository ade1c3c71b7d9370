"""Language modelling: which models do it, what is packed, what is measured, what they write."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers
from running import write_jsonl

from hftoolkit.data.rows import Rows, load_rows
from hftoolkit.errors import ModelError
from hftoolkit.models.loading import Loaded, load_checkpoint
from hftoolkit.recipe.schema import Source
from hftoolkit.tasks.base import Sample
from hftoolkit.tasks.language_modelling import GIVEN, WRITTEN, LanguageModelling
from hftoolkit.training.next_tokens import NEXT

ROWS: list[dict[str, Any]] = [
    {"text": text} for text in ("The library is open.", "I do not like the canteen.", "The teacher is in. " * 12)
]


@pytest.fixture(scope="module")
def loaded(llama: Path) -> Loaded:
    return load_checkpoint(str(llama), task().auto_class)


def task(**options: Any) -> LanguageModelling:
    return LanguageModelling(options, None)


def bound(loaded: Loaded, **options: Any) -> LanguageModelling:
    found = task(**options)
    found.bind(loaded.tokenizer, loaded.model.config)
    return found


def arrays(features: Sequence[Sequence[Mapping[str, list[int]]]]) -> list[dict[str, Any]]:
    return [{name: np.array(ids, np.int32) for name, ids in one.items()} for found in features for one in found]


def loaded_rows(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Rows:
    path = write_jsonl(folder / "rows.jsonl", rows)
    return load_rows([Source(source=str(path))], ("text",), (), filters=None, folder=folder / "cache")


def test_which_models_go_on_with_texts() -> None:
    assert task().auto_class(transformers.GPT2Config(), "mine") == "AutoModelForCausalLM"
    with pytest.raises(ModelError) as caught:
        task().auto_class(transformers.MarianConfig(), "mine")
    assert str(caught.value) == (
        "mine: this checkpoint is a 'marian', which does not go on with a text\n"
        "  choose a causal language model, such as HuggingFaceTB/SmolLM2-135M-Instruct"
    )


def test_rows_are_packed_where_the_model_keeps_them_apart(loaded: Loaded) -> None:
    wanted = bound(loaded)
    assert not wanted.packed
    assert wanted.begin(loaded.model, ()) == []
    assert wanted.packed
    features = arrays(wanted.encode(ROWS, loaded.tokenizer, 48))
    batch = wanted.collate(features, 1)
    assert set(batch.inputs) == {"input_ids", "position_ids"}
    assert batch.tokens == sum(len(one["input_ids"]) for one in features) > 0.9 * batch.padded
    assert batch.inputs["input_ids"].shape[1] <= 96  # what the model can read, though windows are shorter
    apart = bound(loaded, packing=False)
    assert apart.begin(loaded.model, ()) == []
    assert set(apart.collate(features, 1).inputs) == {"input_ids", "attention_mask"}


def test_rows_are_padded_where_the_model_does_not_and_it_is_said(loaded: Loaded) -> None:
    config = transformers.BloomConfig(vocab_size=len(loaded.tokenizer), hidden_size=16, n_layer=1, n_head=2)
    wanted = task()
    wanted.bind(loaded.tokenizer, config)
    assert wanted.begin(transformers.AutoModelForCausalLM.from_config(config), ()) == [
        "a model of the kind 'bloom' does not keep packed rows apart: each is padded instead"
    ]
    batch = wanted.collate(arrays(wanted.encode(ROWS, loaded.tokenizer, 48)), 1)
    assert set(batch.inputs) == {"input_ids", "attention_mask"}
    assert batch.counts[NEXT] == batch.tokens - len(batch.labels[NEXT])


def test_scores_say_how_they_were_taken(loaded: Loaded) -> None:
    bits, perplexity = bound(loaded, window=32).measures()
    assert (bits.name, bits.higher, bits.decimals) == ("bits per byte", False, 3)
    assert (perplexity.name, perplexity.higher, perplexity.decimals) == ("perplexity", False, 2)
    assert bits.signature({0}) == "window:32|stride:16|end:no"
    assert perplexity.signature({0}) == f"window:32|stride:16|end:no|vocabulary:{len(loaded.tokenizer)}"
    assert bound(loaded).measures()[0].signature({0}) == "window:96|stride:48|end:no"
    assert task().deciding().name == "bits per byte"


def test_the_baseline_knows_how_often_each_token_is(loaded: Loaded, tmp_path: Path) -> None:
    wanted = bound(loaded)
    wanted.learn(loaded_rows(tmp_path, [{"text": "aaab"}]))
    size = len(loaded.tokenizer)
    found = wanted.trivial({"text": "aab€"})
    chances = [4, 4, 2, 1, 1, 1]  # what was never seen is not impossible; € is three bytes
    assert found.nats == pytest.approx(-sum(np.log(chance / (size + 4)) for chance in chances))
    assert (found.tokens, found.size) == (6, 6)
    assert [one.nats for one in wanted.trivials([{"text": "aab€"}])] == [found.nats]


def test_samples_go_on_with_the_beginnings_of_rows(loaded: Loaded) -> None:
    wanted = bound(loaded)
    engine = wanted.engine(loaded.model, loaded.tokenizer)
    found = wanted.samples(engine, ROWS, 7)
    assert len(found) == len(ROWS)
    for sample, row in zip(found, ROWS, strict=True):
        assert isinstance(sample, Sample)
        assert row["text"].startswith(sample.given)
        assert 0 < len(loaded.tokenizer(sample.given, add_special_tokens=False)["input_ids"]) <= GIVEN
        assert len(sample.written.encode()) <= 8 * WRITTEN
    assert wanted.samples(engine, ROWS, 7) == found
    assert wanted.samples(engine, ROWS[::-1], 7) == found[::-1]
    assert wanted.samples(engine, ROWS, 8) != found


def test_what_is_shown_of_a_row(loaded: Loaded) -> None:
    wanted = bound(loaded)
    (found,) = wanted.predict(wanted.engine(loaded.model, loaded.tokenizer), ROWS[:1])
    record = wanted.record(found)
    assert list(record) == ["bits_per_byte", "perplexity", "tokens"]
    shown = f"{record['bits_per_byte']:.3f} bits per byte, perplexity {record['perplexity']:.2f}"
    assert wanted.shown(found) == shown
    assert wanted.shown_row(ROWS[0]) == ("The library is open.", [])


def test_rows_that_are_no_documents() -> None:
    assert task().doubts(ROWS) == []
    assert task().doubts([{"text": "图书馆在哪里？我不知道。"}]) == []
    assert task().doubts([{"text": "good"}] * 3) == [
        "half of the rows have fewer than 5 words: hardly anything is learned of how a text goes on\n"
        "  make rows of whole documents; in a plain text file blank lines part them"
    ]


def test_a_tuned_checkpoint_knows_its_options(loaded: Loaded) -> None:
    wanted = bound(loaded, window=64, packing=False)
    found = LanguageModelling.of(wanted.saved())
    assert isinstance(found, LanguageModelling)
    assert found.options == wanted.options
    assert LanguageModelling.of(None).window == 1024

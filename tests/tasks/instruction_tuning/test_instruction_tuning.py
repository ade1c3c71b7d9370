"""Instruction tuning: what is learned of a batch, what is said of a model, what it writes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from running import write_jsonl

from hftoolkit.data.rows import load_rows
from hftoolkit.errors import ModelError
from hftoolkit.models.loading import Loaded, load_checkpoint
from hftoolkit.recipe.schema import Source
from hftoolkit.tasks.instruction_tuning import InstructionTuning
from hftoolkit.tasks.instruction_tuning.scoring import Cost
from hftoolkit.training.next_tokens import IGNORED, NEXT

ROWS: list[dict[str, Any]] = [
    {"messages": ["user Is it open?", "assistant Yes.", "user Why?", "assistant I do not know."]},
    {"messages": ["system Be brief.", "user Why?", "assistant So."]},
    {"messages": ["user Where?", "assistant In the library."]},
]


@pytest.fixture
def loaded(llama: Path) -> Loaded:
    return load_checkpoint(str(llama), task().auto_class)


def task(**options: Any) -> InstructionTuning:
    return InstructionTuning(options, None)


def bound(loaded: Loaded, **options: Any) -> InstructionTuning:
    found = task(**options)
    found.bind(loaded.tokenizer, loaded.model.config)
    return found


def arrays(features: Sequence[Sequence[Mapping[str, list[int]]]]) -> list[dict[str, Any]]:
    return [{name: np.array(ids, np.int32) for name, ids in one.items()} for found in features for one in found]


def test_which_models_answer(loaded: Loaded, gpt2: Path) -> None:
    assert task().auto_class(transformers.GPT2Config(), "mine") == "AutoModelForCausalLM"
    with pytest.raises(ModelError, match="which does not go on with a text"):
        task().auto_class(transformers.MarianConfig(), "mine")
    with pytest.raises(ModelError, match="this model has no chat template"):
        bound(load_checkpoint(str(gpt2), task().auto_class))


def test_the_loss_is_that_of_transformers_on_the_answers(loaded: Loaded) -> None:
    wanted = bound(loaded)
    wanted.begin(loaded.model, ())
    features = arrays(wanted.encode(ROWS, loaded.tokenizer, 96))
    expected, tokens = 0.0, 0
    for feature in features:
        ids, labels = (torch.tensor(feature[name], dtype=torch.int64)[None] for name in ("input_ids", "labels"))
        count = int((labels != IGNORED).sum())
        expected += loaded.model(input_ids=ids, labels=labels).loss.item() * count
        tokens += count
    batch = wanted.collate(features, 1)
    assert batch.counts == {NEXT: tokens}
    assert wanted.loss(loaded.model, batch)[NEXT].item() == pytest.approx(expected, rel=1e-5)


def test_packed_and_padded_rows_have_the_same_gradients(loaded: Loaded) -> None:
    found = []
    for packing in (True, False):
        wanted = bound(loaded, packing=packing)
        assert wanted.begin(loaded.model, ()) == []
        assert wanted.packed == packing
        batch = wanted.collate(arrays(wanted.encode(ROWS, loaded.tokenizer, 96)), 1)
        assert ("position_ids" in batch.inputs) == packing
        loaded.model.zero_grad()
        wanted.loss(loaded.model, batch)[NEXT].backward()
        found.append(torch.cat([weight.grad.flatten() for weight in loaded.model.parameters()]))
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-4)


def test_rows_are_padded_where_the_model_does_not_keep_them_apart(loaded: Loaded) -> None:
    config = transformers.BloomConfig(vocab_size=len(loaded.tokenizer), hidden_size=16, n_layer=1, n_head=2)
    wanted = task()
    wanted.bind(loaded.tokenizer, config)
    model = transformers.AutoModelForCausalLM.from_config(config)
    model.generation_config.eos_token_id = wanted.reading.template.end
    assert wanted.begin(model, ()) == [
        "a model of the kind 'bloom' does not keep packed rows apart: each is padded instead"
    ]
    assert not wanted.packed


def test_a_model_that_does_not_stop_where_answers_end_is_taught_to(loaded: Loaded) -> None:
    wanted = bound(loaded)
    loaded.model.generation_config.eos_token_id = loaded.tokenizer.eos_token_id
    assert wanted.begin(loaded.model, ()) == [
        "the chat template ends answers with '<|im_end|>', where this model did not stop: now it does"
    ]
    assert loaded.model.generation_config.eos_token_id == [1, 3]
    assert wanted.begin(loaded.model, ()) == []


def test_a_template_that_takes_the_place_of_another_is_said(loaded: Loaded, gpt2: Path) -> None:
    replaced = ["options.template: chatml takes the place of the checkpoint's own chat template"]
    assert bound(loaded, template="chatml").begin(loaded.model, ()) == replaced
    assert bound(loaded, template="chatml").begin(loaded.model, ()) == []  # it is its own by now
    without = load_checkpoint(str(gpt2), task().auto_class)
    assert bound(without, template="chatml").begin(without.model, ()) == []


def test_its_template_is_part_of_what_features_depend_on(loaded: Loaded) -> None:
    own, left = bound(loaded).fingerprint(), bound(loaded, too_long="left").fingerprint()
    given = bound(loaded, template="chatml").fingerprint()
    assert len({own, left, given}) == 3


def test_the_baseline_knows_how_often_each_token_is_in_answers(loaded: Loaded, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "rows.jsonl", [{"prompt": "zzzz", "answer": "aaab"}])
    wanted = bound(loaded)
    wanted.learn(load_rows([Source(source=str(path))], ("messages",), (), filters=None, folder=tmp_path / "cache"))
    found = wanted.trivial({"messages": ["user a", "assistant abz"]})
    chances, size = [4, 2, 1, 2], len(loaded.tokenizer) + 5  # a, b, z and the end of the answer
    assert found.nats == pytest.approx(-sum(np.log(chance / size) for chance in chances))
    assert found.tokens == 4


def test_samples_answer_the_first_questions_of_rows(loaded: Loaded) -> None:
    wanted = bound(loaded)
    engine = wanted.engine(loaded.model, loaded.tokenizer)
    long = {"messages": [f"user {'Why? ' * 50}", "assistant So."]}
    found = wanted.samples(engine, [*ROWS, long], 7)
    assert [sample.given for sample in found] == ["Is it open?", "Be brief.\nWhy?", "Where?", "Why? " * 50]
    assert found == wanted.samples(engine, [*ROWS, long], 7) != wanted.samples(engine, [*ROWS, long], 8)
    assert [sample.written for sample in wanted.samples(engine, ROWS[1:], 7)] == [one.written for one in found[1:3]]


def test_scores_say_how_they_were_taken(loaded: Loaded) -> None:
    (found,) = bound(loaded, window=32).measures()
    assert (found.name, found.higher, found.decimals) == ("perplexity", False, 2)
    assert found.signature({0}) == f"of:answers|window:32|stride:16|vocabulary:{len(loaded.tokenizer)}"
    assert task().deciding().name == "perplexity"


def test_what_is_shown(loaded: Loaded) -> None:
    wanted = bound(loaded)
    assert wanted.shown(Cost(0.0, 3)) == "perplexity 1.00"
    assert wanted.record(Cost(0.0, 3)) == {"perplexity": 1.0, "tokens": 3}
    assert wanted.shown_row(ROWS[1]) == ("system: Be brief.\nuser: Why?\nassistant: So.", [])
    assert list(wanted.texts(ROWS[1:2])) == ["Be brief.", "Why?", "So."]


def test_what_is_saved(loaded: Loaded) -> None:
    saved = bound(loaded, too_long="left").saved()
    assert (saved.task, saved.state["end"]) == ("instruction_tuning", 3)
    again = InstructionTuning.of(saved)
    assert isinstance(again, InstructionTuning)
    assert again.options == task(too_long="left").options

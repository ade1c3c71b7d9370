"""Translation: what the model reads, what its loss is, how it is measured, in both families of Marian."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sacrebleu
import torch
import transformers
from conftest import PAIRS
from tiny_models import EOS, UNK, two_vocabularies

from hftoolkit.engines.decoding import Decoding
from hftoolkit.errors import GuardError, ModelError, UsageError
from hftoolkit.models.guard import zero_rows
from hftoolkit.models.loading import Loaded, load_checkpoint
from hftoolkit.models.saved import Saved, read_saved, write_saved
from hftoolkit.recipe.schema import Languages
from hftoolkit.tasks.base import Row
from hftoolkit.tasks.translation import Translated, Translation
from hftoolkit.training.batches import Batch
from hftoolkit.training.optimizer import build_optimizer

ROWS: list[Row] = [{"source": source, "target": target} for source, target in PAIRS]


def translation(target: str = "zh-Hans", source: str = "en") -> Translation:
    return Translation(Translation.Options(), Languages(source=source, target=target))


def load(folder: Path, task: Translation) -> Loaded:
    """The checkpoint, and the task bound to it."""
    loaded = load_checkpoint(str(folder), task.auto_class)
    task.bind(loaded.tokenizer, loaded.model.config)
    return loaded


def batch_of(task: Translation, rows: Sequence[Row], tokenizer: Any) -> Batch:
    features = [feature for found in task.encode(rows, tokenizer, 64) for feature in found]
    return task.collate([{k: np.array(v, np.int32) for k, v in feature.items()} for feature in features], seed=0)


def predicted(task: Translation, loaded: Loaded, rows: Sequence[Row], beams: int = 1) -> list[str]:
    engine = task.engine(loaded.model, loaded.tokenizer)
    return [one.text for one in task.predict(engine, rows, Decoding(beams))]


@pytest.fixture(scope="module")
def known(marian: Path) -> tuple[Translation, Loaded]:
    task = translation()
    return task, load(marian, task)


# What it needs


def test_languages_must_be_said() -> None:
    with pytest.raises(UsageError) as caught:
        Translation(Translation.Options(), None)
    assert str(caught.value) == (
        "data.languages: missing; translation is scored by its target language\n"
        "  say so:   languages: {source: en, target: zh-Hans}"
    )


@pytest.mark.parametrize(("source", "target"), [("en", "jp"), ("jp", "en")])
def test_languages_must_be_languages(source: str, target: str) -> None:
    with pytest.raises(UsageError, match="'jp' is no language tag; did you mean 'ja'"):
        translation(target, source)


def test_marian_and_decoders_translate_and_others_do_not() -> None:
    assert translation().auto_class(transformers.MarianConfig(), "mine") == "AutoModelForSeq2SeqLM"
    assert translation().auto_class(transformers.GPT2Config(), "mine") == "AutoModelForCausalLM"
    for config in (transformers.BertConfig(), transformers.T5Config()):
        with pytest.raises(ModelError) as caught:
            translation().auto_class(config, "mine")
        assert str(caught.value) == (
            f"mine: a model of the kind '{config.model_type}' does not translate; expected 'marian', or a decoder such "
            "as 'gpt2'\n  choose an opus-mt checkpoint:   model: {name: Helsinki-NLP/opus-mt-en-zh}"
        )


# What the model reads


def test_rows_are_encoded_as_transformers_encodes_them(known: tuple[Translation, Loaded]) -> None:
    task, loaded = known
    expected = loaded.tokenizer([pair[0] for pair in PAIRS], text_target=[pair[1] for pair in PAIRS])
    found = [features for (features,) in task.encode(ROWS, loaded.tokenizer, 64)]
    assert [features["input_ids"] for features in found] == expected["input_ids"]
    assert [features["labels"] for features in found] == expected["labels"]


def test_several_answers_are_several_features(known: tuple[Translation, Loaded]) -> None:
    task, loaded = known
    rows: list[Row] = [{"source": "Hi", "target": ["早上好！", "晚安！"]}, {"source": "Bye", "target": "晚安！"}]
    first, second = task.encode(rows, loaded.tokenizer, 64)
    night = loaded.tokenizer(text_target="晚安！")["input_ids"]
    assert [feature["labels"] for feature in (*first, *second)][1:] == [night, night]
    assert len(first) == 2
    assert first[0]["input_ids"] == first[1]["input_ids"] != second[0]["input_ids"]


def test_no_row_is_cut(known: tuple[Translation, Loaded]) -> None:
    task, loaded = known
    long = " ".join(["library"] * 100)
    ((feature,),) = task.encode([{"source": long, "target": long}], loaded.tokenizer, 64)
    assert len(feature["input_ids"]) > 100
    assert len(feature["labels"]) > 100


def test_a_batch_is_what_transformers_makes_of_it(known: tuple[Translation, Loaded]) -> None:
    from transformers.models.marian.modeling_marian import shift_tokens_right

    task, loaded = known
    pad = loaded.tokenizer.pad_token_id
    batch = batch_of(task, ROWS[:5], loaded.tokenizer)
    sources = loaded.tokenizer([pair[0] for pair in PAIRS[:5]], return_tensors="pt", padding=True)
    targets = loaded.tokenizer(text_target=[pair[1] for pair in PAIRS[:5]], return_tensors="pt", padding=True)
    labels = targets["input_ids"].masked_fill(targets["attention_mask"] == 0, -100)
    assert torch.equal(batch.inputs["input_ids"], sources["input_ids"])
    assert torch.equal(batch.inputs["attention_mask"], sources["attention_mask"])
    assert torch.equal(batch.labels["translation"], labels)
    assert torch.equal(batch.inputs["decoder_input_ids"], shift_tokens_right(labels, pad, pad))
    counted = int(targets["attention_mask"].sum())
    assert batch.counts == {"translation": counted}
    assert batch.tokens == counted + int(sources["attention_mask"].sum())
    assert batch.padded == labels.numel() + sources["input_ids"].numel()


# What the loss is


def test_padding_to_common_widths_leaves_the_loss_as_it_is(known: tuple[Translation, Loaded]) -> None:
    task, loaded = known
    rows = ROWS[:3]
    exact = batch_of(task, rows, loaded.tokenizer)
    task.widest = 512
    try:
        wide = batch_of(task, rows, loaded.tokenizer)
    finally:
        task.widest = 0
    assert all(table.shape[1] % 4 == 0 for table in (*wide.inputs.values(), *wide.labels.values()))
    assert wide.padded > exact.padded
    assert (wide.tokens, wide.counts) == (exact.tokens, exact.counts)
    with torch.no_grad():
        losses = [float(task.loss(loaded.model, batch)["translation"]) for batch in (exact, wide)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


def test_the_loss_is_the_sum_of_transformers_mean(known: tuple[Translation, Loaded]) -> None:
    task, loaded = known
    batch = batch_of(task, ROWS[:5], loaded.tokenizer)
    with torch.no_grad():
        inputs = {name: batch.inputs[name] for name in ("input_ids", "attention_mask")}
        theirs = loaded.model(**inputs, labels=batch.labels["translation"]).loss
        (ours,) = task.loss(loaded.model, batch).values()
    assert float(ours) == pytest.approx(float(theirs) * batch.counts["translation"], rel=1e-5, abs=1e-6)


def test_a_batch_loses_what_its_rows_lose(known: tuple[Translation, Loaded]) -> None:
    task, loaded = known
    with torch.no_grad():
        alone = [float(task.loss(loaded.model, batch_of(task, [row], loaded.tokenizer))["translation"]) for row in ROWS]
        together = float(task.loss(loaded.model, batch_of(task, ROWS, loaded.tokenizer))["translation"])
    assert together == pytest.approx(sum(alone), rel=1e-4)


def test_smoothing_spreads_a_share_over_all_tokens(known: tuple[Translation, Loaded]) -> None:
    task, loaded = known
    batch = batch_of(task, ROWS[:3], loaded.tokenizer)
    labels = batch.labels["translation"]
    with torch.no_grad():
        nats = -torch.log_softmax(loaded.model(**batch.inputs).logits, dim=-1)  # [B, T, V]
        plain = nats.gather(2, labels.clamp(min=0)[..., None])[..., 0]
        mixed = 0.9 * plain + 0.1 * nats.mean(dim=-1)
        (ours,) = task.loss(loaded.model, batch, smoothing=0.1).values()
    assert float(ours) == pytest.approx(float(mixed[labels >= 0].sum()), rel=1e-4)


# What it says


def test_predictions_come_in_order_as_rows_are_read(known: tuple[Translation, Loaded]) -> None:
    task, loaded = known
    rows = iter(ROWS)
    engine = task.engine(loaded.model, loaded.tokenizer, batch_tokens=20)
    predictions = task.predict(engine, rows, Decoding(1))
    assert not isinstance(predictions, list)
    assert list(predictions) == [Translated(target) for _, target in PAIRS]
    assert next(rows, None) is None


def test_a_trained_model_passes_the_check_and_one_that_knows_nothing_does_not(
    known: tuple[Translation, Loaded], marian: Path
) -> None:
    task, loaded = known
    task.check(loaded.model, loaded.tokenizer, ROWS[:4], "mine")
    broken = load_checkpoint(str(marian), task.auto_class)
    with torch.no_grad():
        for parameter in broken.model.parameters():
            parameter.mul_(0.0)
    with pytest.raises(GuardError, match="mine: this model would produce gibberish: its own translation costs it 5"):
        task.check(broken.model, broken.tokenizer, ROWS[:4], "mine")


def test_all_text_of_a_row_trains_a_tokenizer() -> None:
    rows: list[Row] = [{"source": "a", "target": "b"}, {"source": "c", "target": ["d", "e"]}]
    assert list(translation().texts(rows)) == ["a", "b", "c", "d", "e"]


def test_the_trivial_prediction_copies_the_source() -> None:
    task = translation()
    assert task.trivial(ROWS[0]) == Translated("Good morning!")
    assert task.shown(Translated("晚安！")) == "晚安！"
    assert task.shown_row(ROWS[0]) == ("Good morning!", ["早上好！"])
    assert task.shown_row({"source": "a", "target": ["b", "c"]}) == ("a", ["b", "c"])


# How it is measured


OUTPUT = ["早上好！", "晚上好", "图书馆在那里？", "食堂是哪里？"]


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("BLEU", lambda references: sacrebleu.corpus_bleu(OUTPUT, references, tokenize="zh")),
        ("chrF2", lambda references: sacrebleu.corpus_chrf(OUTPUT, references)),
    ],
)
@pytest.mark.parametrize("several", [False, True])
def test_summed_counts_score_as_sacrebleu_does(name: str, theirs: Any, several: bool) -> None:
    answers = [pair[1] for pair in PAIRS[:4]]
    others = [pair[1] for pair in PAIRS[4:8]]
    measure = next(one for one in translation().measures() if one.name == name)
    rows: list[Row] = [
        {"source": "", "target": [answer, other] if several else answer}
        for answer, other in zip(answers, others, strict=True)
    ]
    counts = sum(measure.counts(Translated(text), row) for text, row in zip(OUTPUT, rows, strict=True))
    assert measure.total(counts) == theirs([answers, others] if several else [answers]).score


def test_the_tokenizer_of_the_score_is_the_target_languages() -> None:
    def bleu(task: Translation) -> str:
        return task.measures()[0].signature({1})

    assert "|tok:zh|" in bleu(translation("zh-Hant"))
    assert "|tok:13a|" in bleu(translation("de"))
    assert bleu(translation()).startswith("nrefs:1|")
    assert translation().measures()[0].signature({2}).startswith("nrefs:2|")


# Target tokens, two vocabularies


VARIETIES = {
    "zh-Hans": [("The library is open.", "图书馆开着。"), ("Good night!", "晚安！"), ("Thank you!", "谢谢！")],
    "zh-Hant": [("The library is open.", "圖書館開著。"), ("Good night!", "晚安！"), ("Thank you!", "謝謝！")],
}


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("untrained") / "model"
    pairs = [pair for found in VARIETIES.values() for pair in found]
    tokens = [">>cmn_Hans<<", ">>cmn_Hant<<", ">>yue_Hant<<"]
    two_vocabularies(folder, [pair[0] for pair in pairs], [pair[1] for pair in pairs], tokens)
    return folder


def rows_of(variety: str) -> list[Row]:
    return [{"source": source, "target": target} for source, target in VARIETIES[variety]]


@pytest.fixture(scope="module")
def varieties(untrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, trained to write both varieties; the folder it was made from is not needed."""
    draft = tmp_path_factory.mktemp("draft") / "model"
    shutil.copytree(untrained, draft)
    tasks = {variety: translation(variety) for variety in VARIETIES}
    for task in tasks.values():
        loaded = load(draft, task)
    model, tokenizer = loaded.model, loaded.tokenizer
    batches = [batch_of(task, rows_of(variety), tokenizer) for variety, task in tasks.items()]
    optimizer = build_optimizer(model, weight_decay=0.01, betas=(0.9, 0.98), zero_rows=zero_rows(model))
    optimizer.param_groups[0]["lr"] = optimizer.param_groups[1]["lr"] = 5e-3
    model.train()
    for _ in range(150):
        for batch in batches:
            loss = tasks["zh-Hans"].loss(model, batch)["translation"]
            (loss / batch.counts["translation"]).backward()
        optimizer.step()
        optimizer.zero_grad()
    assert float(loss.detach()) < 1.0, "the tiny translator did not learn its sentences"
    folder = tmp_path_factory.mktemp("varieties")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_saved(tasks["zh-Hant"].saved(), folder)
    shutil.rmtree(draft)
    return folder


def test_the_target_chooses_the_token_and_it_is_recorded(untrained: Path) -> None:
    for variety, token in [("zh-Hans", ">>cmn_Hans<<"), ("zh-Hant", ">>cmn_Hant<<"), ("yue", ">>yue_Hant<<")]:
        task = translation(variety)
        load(untrained, task)
        assert task.target_token == token
        assert task.saved() == Saved("translation", "en", variety, token)
        assert task.prompt("Good night!") == f"{token} Good night!"


def test_without_a_token_the_source_is_left_alone(known: tuple[Translation, Loaded]) -> None:
    task, _ = known
    assert task.target_token is None
    assert task.prompt("Good night!") == "Good night!"
    assert task.saved() == Saved("translation", "en", "zh-Hans")


def test_the_token_is_part_of_the_key_of_features(untrained: Path) -> None:
    tasks = [translation("zh-Hans"), translation("zh-Hant")]
    for task in tasks:
        load(untrained, task)
    assert tasks[0].fingerprint() != tasks[1].fingerprint()


def test_the_token_is_one_token_in_training_and_in_use(untrained: Path) -> None:
    task = translation("zh-Hant")
    loaded = load(untrained, task)
    ((feature,),) = task.encode(rows_of("zh-Hant")[:1], loaded.tokenizer, 64)
    assert feature["input_ids"][0] == loaded.tokenizer.get_vocab()[">>cmn_Hant<<"]

    read: list[str] = []

    class Engine:
        def generate(self, sources: Iterator[str], decoding: Decoding) -> Iterator[str]:
            read.extend(sources)
            return iter(read)

    list(task.predict(Engine(), rows_of("zh-Hant")[:1], Decoding()))  # type: ignore[arg-type]
    assert loaded.tokenizer(read)["input_ids"] == [feature["input_ids"]]


def test_targets_are_encoded_with_the_targets_vocabulary(untrained: Path) -> None:
    task = translation()
    loaded = load(untrained, task)
    ((feature,),) = task.encode([{"source": "night", "target": "晚安！"}], loaded.tokenizer, 64)
    vocabulary = loaded.tokenizer.target_encoder
    assert [vocabulary[character] for character in "晚安！"] == feature["labels"][-4:-1]
    assert feature["labels"][-1] == feature["input_ids"][-1] == EOS
    assert UNK not in feature["labels"]
    assert loaded.tokenizer.decode(feature["labels"], skip_special_tokens=True) == "晚安！"


def test_two_tables_pass_the_guard_and_are_two(untrained: Path) -> None:
    model = load(untrained, translation()).model
    assert model.lm_head.weight is model.model.decoder.embed_tokens.weight
    assert model.model.encoder.embed_tokens.weight is not model.lm_head.weight


def test_a_step_moves_both_tables_and_leaves_padding_at_zero(untrained: Path, varieties: Path) -> None:
    before, after = (load(folder, translation()).model for folder in (untrained, varieties))
    for part in ("encoder", "decoder"):
        old, new = (getattr(model.model, part).embed_tokens.weight for model in (before, after))
        assert not torch.equal(old, new)
        assert not new[-1].any()


@pytest.mark.parametrize("variety", VARIETIES)
@pytest.mark.parametrize("beams", [1, 4])
def test_saved_and_loaded_it_writes_each_variety(varieties: Path, variety: str, beams: int) -> None:
    task = translation(variety)
    loaded = load(varieties, task)
    assert predicted(task, loaded, rows_of(variety), beams) == [target for _, target in VARIETIES[variety]]
    task.check(loaded.model, loaded.tokenizer, rows_of(variety), "mine")


def test_its_output_is_the_one_of_generate(varieties: Path) -> None:
    task = translation("zh-Hant")
    loaded = load(varieties, task)
    model = transformers.MarianMTModel.from_pretrained(str(varieties)).eval()
    tokenizer = transformers.MarianTokenizer.from_pretrained(str(varieties))
    sources = [f">>cmn_Hant<< {source}" for source, _ in VARIETIES["zh-Hant"]]
    output = model.generate(**tokenizer(sources, return_tensors="pt", padding=True))
    theirs = tokenizer.batch_decode(output, skip_special_tokens=True)
    assert predicted(task, loaded, rows_of("zh-Hant"), beams=4) == theirs


def test_the_checkpoint_remembers_its_token(varieties: Path) -> None:
    assert read_saved(varieties) == Saved("translation", "en", "zh-Hant", ">>cmn_Hant<<")


# Real tokenizers


REAL = {
    "tokenizer-opus-mt-zh-en": ("zh", "en", "图书馆在哪里？", "Where is the library?", 0),
    "tokenizer-opus-mt-uk-en": ("uk", "en", "Де бібліотека?", "Where is the library?", 0),
    "tokenizer-opus-mt-tc-big-fr-en": ("fr", "en", "Où est la bibliothèque ?", "Where is the library?", 43311),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_real_tokenizers_carry_a_whole_round(name: str, shared: Path, tmp_path: Path) -> None:
    source, target, text, answer, eos = REAL[name]
    folder = Path(shutil.copytree(shared / "models" / name, tmp_path / "model", copy_function=shutil.copyfile))
    config = transformers.MarianConfig.from_pretrained(
        str(folder), d_model=16, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=16, decoder_ffn_dim=16
    )
    config.encoder_attention_heads = config.decoder_attention_heads = 2
    config.dtype = "float32"
    model = transformers.MarianMTModel(config)
    with torch.no_grad():
        model.model.shared.weight[config.pad_token_id].zero_()
    model.save_pretrained(folder)

    task = translation(target, source)
    loaded = load(folder, task)
    assert task.target_token is None  # they write one language
    batch = batch_of(task, [{"source": text, "target": answer}], loaded.tokenizer)
    assert batch.labels["translation"][0, -1] == batch.inputs["input_ids"][0, -1] == eos
    assert loaded.tokenizer.unk_token_id not in batch.labels["translation"]
    assert loaded.tokenizer.decode(batch.labels["translation"][0], skip_special_tokens=True) == answer
    assert float(task.loss(loaded.model, batch)["translation"].detach()) > 0

    before = predicted(task, loaded, [{"source": text}], beams=2)
    loaded.model.save_pretrained(tmp_path / "saved")
    loaded.tokenizer.save_pretrained(tmp_path / "saved")
    assert predicted(task, load(tmp_path / "saved", task), [{"source": text}], beams=2) == before


# What looks wrong before it is trained


def test_nothing_is_odd_about_what_a_model_knows(known: tuple[Translation, Loaded]) -> None:
    task, loaded = known
    assert task.doubts_of(loaded.model, loaded.tokenizer, ROWS) == []
    assert (
        task.doubts_of(loaded.model, loaded.tokenizer, [{**row, "target": [row["target"], ""]} for row in ROWS]) == []
    )


def test_targets_that_do_not_belong_to_their_sources(known: tuple[Translation, Loaded]) -> None:
    task, loaded = known
    others = [{**row, "target": other["target"]} for row, other in zip(ROWS, ROWS[5:] + ROWS[:5], strict=True)]
    (told,) = task.doubts_of(loaded.model, loaded.tokenizer, others)
    assert told.startswith("the model finds the targets hardly likelier than those of other rows (")
    assert told.endswith(
        " nats per token): they may be in another language than it writes, or not belong to the sources\n"
        "  look at the columns and some rows, or choose a model of these languages"
    )


def test_of_a_few_rows_a_model_says_nothing(known: tuple[Translation, Loaded]) -> None:
    task, loaded = known
    others = [{**row, "target": other["target"]} for row, other in zip(ROWS[:7], ROWS[7:14], strict=True)]
    assert task.doubts_of(loaded.model, loaded.tokenizer, others) == []


def test_judging_rows_leaves_a_model_as_it_was(known: tuple[Translation, Loaded]) -> None:
    task, loaded = known
    before = {name: weight.clone() for name, weight in loaded.model.state_dict().items()}
    task.doubts_of(loaded.model, loaded.tokenizer, ROWS)
    assert not loaded.model.training
    assert all(weight.grad is None for weight in loaded.model.parameters())
    assert all(torch.equal(weight, before[name]) for name, weight in loaded.model.state_dict().items())


def test_a_tokenizer_of_other_languages(known: tuple[Translation, Loaded], monkeypatch: pytest.MonkeyPatch) -> None:
    task, loaded = known
    assert task.doubts_about(loaded.tokenizer) == []
    monkeypatch.setattr(loaded.tokenizer, "source_lang", "zho")
    monkeypatch.setattr(loaded.tokenizer, "target_lang", "eng")
    assert task.doubts_about(loaded.tokenizer) == [
        f"model: its {role} language is '{own}', the recipe's is '{wanted}'\n"
        "  choose a model of these languages, or correct data.languages"
        for role, own, wanted in (("source", "zho", "en"), ("target", "eng", "zh-Hans"))
    ]


def test_rows_are_doubted_by_their_first_answers() -> None:
    rows = [{"source": target, "target": [source, target]} for source, target in PAIRS] * 2
    (told,) = translation().doubts(rows)
    assert told.startswith("source and target look swapped: ")


@pytest.mark.parametrize("tuned", [True, False])
def test_a_rehearsal_writes_no_more_than_the_answers_have(
    known: tuple[Translation, Loaded], tuned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that has learned nothing would go on until it is stopped."""
    task, loaded = known
    engine = task.engine(loaded.model, loaded.tokenizer)
    if not tuned:
        monkeypatch.setattr(loaded.model, "final_logits_bias", torch.zeros_like(loaded.model.final_logits_bias))
        loaded.model.final_logits_bias[0, loaded.tokenizer.eos_token_id] = -1e9
    written: list[int] = []
    generate = loaded.model.generate

    def watched(*arguments: Any, **settings: Any) -> Any:
        found = generate(*arguments, **settings)
        written.append(found.shape[1] - 1)
        return found

    monkeypatch.setattr(loaded.model, "generate", watched)
    task.rehearse(engine, ROWS, Decoding(1))
    longest = max(len(loaded.tokenizer(text_target=row["target"])["input_ids"]) for row in ROWS)
    assert written
    assert max(written) <= longest

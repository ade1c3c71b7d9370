"""A loaded Marian model -> a folder for CTranslate2, tried beside PyTorch before anyone uses it."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ctranslate2.converters
import torch
from ctranslate2.converters.transformers import MarianMTLoader

from hftoolkit.engines.conversion import Outcome
from hftoolkit.engines.ctranslate2 import CTranslate2Engine
from hftoolkit.engines.decoding import Decoding
from hftoolkit.engines.places import Place
from hftoolkit.engines.pytorch import TorchEngine
from hftoolkit.metrics import translations
from hftoolkit.models.loading import Loaded
from hftoolkit.models.marian_tokenizer import MarianTokenizer

TIE = 1e-3
"""Difference of log-probabilities, in nats, within which two tokens are equally likely: a choice that hangs on the
order in which float32 products are added is nobody's mistake."""

LEAST_CHRF = 90.0
"""Similarity to the output in float32 that is asked of other number formats."""

_GENERATION = (
    *("min_length", "min_new_tokens", "suppress_tokens", "begin_suppress_tokens", "sequence_bias"),
    *("encoder_no_repeat_ngram_size", "encoder_repetition_penalty", "exponential_decay_length_penalty"),
)
"""Generation settings of a checkpoint that PyTorch would follow and CTranslate2 would not."""


def convert(
    loaded: Loaded,
    tokenizer: MarianTokenizer,
    sources: Sequence[str],
    folder: Path,
    wanted: str,
    place: Place,
) -> Outcome:
    """Convert a model, and keep the form in the wanted number format if its output is good enough, else in float32.

    Args:
        loaded: The checkpoint, its model on the CPU; the model is of no use afterwards.
        tokenizer: Its tokenizer without transformers.
        sources: What to try it on, with target tokens.
        folder: Where it goes; the model gets a folder in it, named after its number format.
        wanted: Number format, as CTranslate2 names it.
        place: Where it will run.

    Returns:
        What came of it; if it was refused, no model is left.
    """
    model, positions = loaded.model, loaded.model.config.max_position_embeddings
    if (reason := _obstacle(model)) is not None:
        return Outcome(refused=reason)

    def written(kind: str, place: Place) -> CTranslate2Engine:
        _Marian(model, loaded.tokenizer).convert(str(folder / kind), quantization=kind)
        return CTranslate2Engine(folder / kind, tokenizer, positions=positions, compute_type=kind, place=place)

    exact = written("float32", Place())
    gaps = _gaps(TorchEngine(model, loaded.tokenizer), exact, sources)
    wrong = [gap for gap in gaps if not gap <= TIE]  # NaN is wrong too
    if wrong:
        shutil.rmtree(folder / "float32")
        return Outcome(
            refused=f"converted, it writes other tokens than PyTorch on {len(wrong)} of {len(sources)} sentences, "
            f"less likely by up to {max(wrong):.3f} nats",
            sentences=len(sources),
        )
    if wanted == "float32":
        return Outcome("float32", sentences=len(sources), ties=len(gaps))

    rough = written(wanted, place)  # CTranslate2 makes int8 of the model's own weights in place
    expected, got = (list(engine.generate(sources, Decoding())) for engine in (exact, rough))
    score = 100.0 if got == expected else translations.chrf().corpus_score(got, [expected]).score
    kept, other = (wanted, "float32") if score >= LEAST_CHRF else ("float32", wanted)
    shutil.rmtree(folder / other)
    note = f"in {wanted} its output is too far from that in float32 (chrF2 {score:.1f}), so it runs in float32"
    return Outcome(kept, None, None if kept == wanted else note, len(sources), len(gaps), round(score, 2))


def _obstacle(model: Any) -> str | None:
    """What CTranslate2 cannot do of what a checkpoint asks for."""
    config, stated = model.config, model.generation_config
    if config.vocab_size != config.decoder_vocab_size:
        return f"its vocabularies differ in size ({config.vocab_size:,} and {config.decoder_vocab_size:,} entries)"
    odd = [name for name in _GENERATION if getattr(stated, name, None)]
    odd += ["forced_bos_token_id"] * (stated.forced_bos_token_id is not None)
    odd += ["bad_words_ids"] * (stated.bad_words_ids != [[config.pad_token_id]])
    return f"its generation_config.json sets {', '.join(odd)}" if odd else None


class _Marian(ctranslate2.converters.Converter):  # type: ignore[misc]
    """Converts a model that is in memory.

    The entries of the vocabulary are the numbers of the checkpoint's tokenizer: nothing depends on how they are
    spelled, and two vocabularies are two meanings of the same numbers. The last one, padding, is left out: the decoder
    starts from a zero embedding instead.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model = model
        self.eos_token, self.unk_token = str(tokenizer.eos_token_id), str(tokenizer.unk_token_id)

    def get_vocab(self) -> dict[str, int]:
        """The entries with their places, as CTranslate2 asks a tokenizer for them."""
        pad = self.model.config.pad_token_id
        return {**{str(number): number for number in range(pad)}, "<pad>": pad}

    def _load(self) -> Any:
        with torch.no_grad():
            return MarianMTLoader()(self.model, self)


def _gaps(reference: TorchEngine, engine: CTranslate2Engine, sources: Sequence[str]) -> list[float]:
    """How much likelier, in nats, the reference's greedy token is than the engine's where they first part.

    Only sentences on which they part have an entry.
    """
    greedy = Decoding(beams=1)
    eos = [reference.model.config.eos_token_id]
    gaps = []
    for source, wanted, got in zip(
        sources, reference.outputs(sources, greedy), engine.outputs(sources, greedy), strict=True
    ):
        if wanted != got:
            place = next(n for n, pair in enumerate(zip(wanted + eos, got + eos, strict=False)) if pair[0] != pair[1])
            likely = reference.next_token(source, wanted[:place])
            gaps.append(float(likely[(wanted + eos)[place]] - likely[(got + eos)[place]]))
    return gaps

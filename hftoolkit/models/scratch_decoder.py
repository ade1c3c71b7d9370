"""A new GPT-2: a byte-level BPE tokenizer trained on the rows, and weights that know nothing yet."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import torch

from hftoolkit import hub
from hftoolkit.errors import ModelError
from hftoolkit.models.loading import load_tokenizer, quiet
from hftoolkit.models.scratch_words import fewer_pieces
from hftoolkit.recipe.schema import ScratchDecoder

END: Final = "<|endoftext|>"
"""Stands before every text and behind it, as in GPT-2 itself."""

ROWS: Final = 200_000
"""Rows the tokenizer is trained on at most."""

TOKENIZER_FILES: Final = (
    "config.json",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "*.spm",
    "*_tokens*.json",
    "target_vocab.json",
)
"""Files of a checkpoint's tokenizer."""

_SPREAD, _WIDTH = 0.02, 768
"""Standard deviation of GPT-2's weights at the start, and its width: narrower layers need larger weights to add as
much. 150 steps of 1,024 tokens of Tiny Shakespeare brought a width of 128 to 2.82 bits per byte, with 0.02 to 2.90."""


def build_gpt(sizes: ScratchDecoder, texts: Iterable[str], folder: Path, seed: int) -> list[str]:
    """Write a new decoder and its tokenizer as a standard GPT-2 checkpoint.

    Args:
        sizes: Layers, widths and vocabulary.
        texts: For the tokenizer.
        folder: Where the checkpoint goes; created.
        seed: Seed of the weights.

    Returns:
        What should be said about it.

    Raises:
        HubError: If the checkpoint whose tokenizer is wanted cannot be fetched.
        ModelError: If its tokenizer cannot be read, or ends no texts.

    Source:
        Radford et al., 2019, Language Models are Unsupervised Multitask Learners.
    """
    from transformers import GPT2Config, GPT2LMHeadModel, GPT2Tokenizer

    if sizes.tokenizer is None:
        vocabulary, merges = _train_tokenizer(sizes, texts)
        tokenizer = GPT2Tokenizer(vocab=vocabulary, merges=merges, model_max_length=sizes.positions)
        said = fewer_pieces(len(vocabulary), sizes.vocabulary)
    else:
        folder_of_other = hub.resolve(sizes.tokenizer, files=TOKENIZER_FILES)
        tokenizer, said = load_tokenizer(folder_of_other, sizes.tokenizer), []
        if tokenizer.eos_token_id is None:
            raise ModelError(
                f"model.scratch.tokenizer: '{sizes.tokenizer}' has no token for the end of a text\n"
                "  choose a checkpoint that writes, or leave it out"
            )
    folder.mkdir(parents=True, exist_ok=True)
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=sizes.positions,
        n_embd=sizes.width,
        n_layer=sizes.layers,
        n_head=sizes.heads,
        n_inner=sizes.feed_forward,
        resid_pdrop=sizes.dropout,
        embd_pdrop=sizes.dropout,
        attn_pdrop=0.0,  # inside attention it would cost far more than elsewhere: 1.6 times the time of 1,024 tokens
        initializer_range=_SPREAD * (_WIDTH / sizes.width) ** 0.5,
        bos_token_id=tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(seed)
        # Its own initialisation: the deeper the model, the less each layer adds to what goes through it.
        GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return said


def _train_tokenizer(sizes: ScratchDecoder, texts: Iterable[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The tokens with their numbers, and which of them become one, in order."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=sizes.vocabulary,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    found = json.loads(tokenizer.to_str())["model"]
    return found["vocab"], [tuple(pair) for pair in found["merges"]]

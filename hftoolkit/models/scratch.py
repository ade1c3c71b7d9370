"""A new Marian model: a SentencePiece tokenizer trained on the rows, and weights that know nothing yet."""

import io
import json
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from hftoolkit.models.loading import quiet
from hftoolkit.models.scratch_words import fewer_pieces, too_few, untrainable
from hftoolkit.recipe.schema import Languages, Scratch

SENTENCES = 200_000
"""Sentences the tokenizer is trained on at most; of more, a random sample is taken."""


def build_marian(
    sizes: Scratch, texts: Iterable[str], languages: Languages | None, folder: Path, seed: int
) -> list[str]:
    """Write a new model and its tokenizer as a standard Marian checkpoint.

    Args:
        sizes: Layers, widths and vocabulary.
        texts: Sentences of both languages, for the tokenizer.
        languages: Recorded in the tokenizer.
        folder: Where the checkpoint goes; created.
        seed: Seed of the weights.

    Returns:
        What should be said about it.

    Raises:
        DataError: If the rows are too few for a tokenizer.
    """
    from transformers import GenerationConfig, MarianConfig, MarianMTModel

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = _train_tokenizer(sizes, texts, languages, folder)
    pad = vocabulary - 1
    config = MarianConfig(
        vocab_size=vocabulary,
        decoder_vocab_size=vocabulary,
        d_model=sizes.width,
        encoder_layers=sizes.encoder_layers,
        decoder_layers=sizes.decoder_layers,
        encoder_attention_heads=sizes.heads,
        decoder_attention_heads=sizes.heads,
        encoder_ffn_dim=sizes.feed_forward,
        decoder_ffn_dim=sizes.feed_forward,
        max_position_embeddings=sizes.positions,
        dropout=sizes.dropout,
        activation_function="relu",
        scale_embedding=True,
        pad_token_id=pad,
        decoder_start_token_id=pad,
        eos_token_id=0,
        forced_eos_token_id=0,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = MarianMTModel(config)
        _initialise(model, sizes.width, pad)
    model.generation_config = GenerationConfig(
        bad_words_ids=[[pad]],
        decoder_start_token_id=pad,
        eos_token_id=0,
        forced_eos_token_id=0,
        pad_token_id=pad,
        max_length=sizes.positions,
        num_beams=4,
    )
    with quiet():
        model.save_pretrained(folder)
    return fewer_pieces(vocabulary, sizes.vocabulary)


def _initialise(model: Any, width: int, pad: int) -> None:
    """Weights as Marian and fairseq draw them; transformers' own 0.02 is far too small for narrow layers, which then
    hardly learn to attend.

    Source:
        Glorot and Bengio, 2010, Understanding the difficulty of training deep feedforward neural networks.
    """
    for module in model.model.modules():
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.xavier_uniform_(module.weight)
    with torch.no_grad():
        # Embeddings are output weights too: a variance of 1/H keeps the first predictions near uniform.
        torch.nn.init.normal_(model.model.shared.weight, std=width**-0.5)
        model.model.shared.weight[pad].zero_()


def _train_tokenizer(sizes: Scratch, texts: Iterable[str], languages: Languages | None, folder: Path) -> int:
    """Write source.spm, target.spm and vocab.json; return the number of tokens."""
    import sentencepiece

    written = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=written,
            vocab_size=sizes.vocabulary,
            hard_vocab_limit=False,
            model_type="unigram",
            character_coverage=0.9999,
            byte_fallback=True,  # a rare character is spelt in bytes instead of lost
            normalization_rule_name="identity",  # NFKC would turn Chinese punctuation into ASCII
            input_sentence_size=SENTENCES,
            shuffle_input_sentence=True,
            bos_id=-1,
            eos_id=1,
            unk_id=0,
            minloglevel=2,
        )
    except RuntimeError as error:
        if small := re.search(r"(\d+) vs (\d+)", str(error)):
            enough = math.ceil(int(small[2]) / 100 + 1) * 100
            raise too_few(small[1], f"which have {small[2]} characters and bytes", enough) from error
        raise untrainable(str(error).strip()) from error
    pieces = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
    names = [pieces.id_to_piece(number) for number in range(pieces.get_piece_size())]
    vocabulary = ["</s>", "<unk>", *(name for name in names if name not in ("</s>", "<unk>")), "<pad>"]
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes(written.getvalue())
    (folder / "vocab.json").write_text(
        json.dumps({piece: number for number, piece in enumerate(vocabulary)}, ensure_ascii=False, indent=0),
        encoding="utf-8",
    )
    settings = {
        "tokenizer_class": "MarianTokenizer",
        "source_lang": languages.source if languages else None,
        "target_lang": languages.target if languages else None,
        "model_max_length": sizes.positions,
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2), encoding="utf-8")
    return len(vocabulary)

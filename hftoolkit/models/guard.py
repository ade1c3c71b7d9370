"""Checks on a Marian model that loads without complaint but would produce gibberish.

Marian breaks in silence: embeddings that are not tied after loading, a decoder that starts with the wrong token, a
padding row that moved off zero. Each check names what it found, so that a bad checkpoint is never fine-tuned.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from hftoolkit.errors import GuardError

MOST_NATS = 5.0
"""Loss per token that a working model never has on its own greedy output; random weights have about ln(V), 9 to 11."""


def check_marian(model: Any, tokenizer: Any, name: str) -> None:
    """Check how a Marian model is put together.

    Raises:
        GuardError: For embeddings that are not tied, padding that is not last or not zero, a wrong start token, or a
            tokenizer of another size.
    """
    config = model.config
    inner = model.model
    output, decoder = model.lm_head.weight, inner.decoder.embed_tokens.weight
    pad = config.pad_token_id
    if config.tie_word_embeddings and output.data_ptr() != decoder.data_ptr():
        _fail(name, "the output layer is not tied to the decoder's embeddings", "the weights were loaded only in part")
    if config.share_encoder_decoder_embeddings and inner.encoder.embed_tokens.weight.data_ptr() != decoder.data_ptr():
        _fail(name, "encoder and decoder do not share their embeddings", "the weights were loaded only in part")
    if pad != config.decoder_vocab_size - 1:
        _fail(
            name,
            f"padding is token {pad}, not the last one, {config.decoder_vocab_size - 1}",
            "new tokens go before the padding",
        )
    if float(decoder[pad].detach().abs().max()) != 0.0:
        _fail(name, "the padding's embedding is not zero", "it was trained by a tool that does not keep it so")
    if config.decoder_start_token_id != pad:
        _fail(
            name,
            f"the decoder starts with token {config.decoder_start_token_id}, not padding ({pad})",
            "config.json is wrong",
        )
    vocabulary = len(tokenizer)
    if vocabulary not in (config.vocab_size, config.decoder_vocab_size) or tokenizer.pad_token_id != pad:
        _fail(
            name,
            f"the tokenizer has {vocabulary:,} tokens with padding {tokenizer.pad_token_id}, "
            f"the model {config.vocab_size:,} with padding {pad}",
            "they do not belong together",
        )


@torch.inference_mode()
def check_fluency(model: Any, tokenizer: Any, texts: Sequence[str], name: str) -> None:
    """Check that a model is sure of its own output, as every trained one is in any language.

    Args:
        model: An encoder-decoder model.
        tokenizer: Its tokenizer.
        texts: A few source sentences, with their target token.
        name: Name for the message.

    Raises:
        GuardError: If its greedy output, fed back to it, costs more than `MOST_NATS` per token.
    """
    model.eval()
    longest = model.config.max_position_embeddings
    inputs = tokenizer(list(texts), return_tensors="pt", padding=True, truncation=True, max_length=longest)
    inputs = inputs.to(model.device)
    # A beam too few and a length too small to translate well, enough to see gibberish.
    output = model.generate(**inputs, num_beams=1, do_sample=False, max_new_tokens=24, max_length=None)
    labels = output[:, 1:]
    logits = model(**inputs, decoder_input_ids=output[:, :-1]).logits  # [B, T, V]
    counted = labels != model.config.pad_token_id
    losses = nn.functional.cross_entropy(logits.float().transpose(1, 2), labels, reduction="none")  # [B, T]
    nats = float(losses[counted].mean())
    if math.isnan(nats) or nats > MOST_NATS:
        _fail(
            name,
            f"its own translation costs it {nats:.1f} nats per token, where a trained model stays below "
            f"{MOST_NATS:.0f} (guessing costs {math.log(logits.shape[-1]):.1f})",
            "its weights are not what its configuration says",
        )


def mend_generation(model: Any) -> None:
    """Fill in the generation settings that old Marian checkpoints leave to their configuration, or leave out.

    transformers 5 reads ``generation_config`` alone; without it sentences are cut at 20 tokens and padding can be
    written.
    """
    config, stated = model.config, model.generation_config
    stated.decoder_start_token_id = config.decoder_start_token_id
    stated.pad_token_id = config.pad_token_id
    stated.eos_token_id = config.eos_token_id
    stated.forced_eos_token_id = config.forced_eos_token_id
    stated.bad_words_ids = stated.bad_words_ids or [[config.pad_token_id]]
    if stated.max_length is None or stated.max_length <= 20:
        stated.max_length = config.max_position_embeddings


def zero_rows(model: Any) -> tuple[tuple[nn.Parameter, int], ...]:
    """Rows of trained embeddings that must stay zero: padding, which the output layer shares.

    CTranslate2 starts the decoder from a zero embedding; padding that training moves off zero makes two engines
    translate differently.
    """
    if model.config.model_type != "marian":
        return ()
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    tables = {id(p): p for p in (inner.model.decoder.embed_tokens.weight, inner.model.encoder.embed_tokens.weight)}
    return tuple((table, model.config.pad_token_id) for table in tables.values() if table.requires_grad)


def _fail(name: str, found: str, meaning: str) -> None:
    raise GuardError(
        f"{name}: this model would produce gibberish: {found}\n  {meaning}: fetch it again, or use another checkpoint"
    )

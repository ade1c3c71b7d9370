"""A new BERT encoder: a WordPiece tokenizer trained on the rows, and weights that know nothing yet."""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import torch

from hftoolkit.models.loading import quiet
from hftoolkit.models.scratch_words import fewer_pieces, too_few, untrainable
from hftoolkit.recipe.schema import ScratchEncoder

_SPECIAL: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

_COVERED: Final = 0.9999
"""Share of all characters that are in the vocabulary at least; words with a rarer one become [UNK]."""


def build_bert(sizes: ScratchEncoder, texts: Callable[[], Iterable[str]], folder: Path, seed: int) -> list[str]:
    """Write a new encoder without a head and its tokenizer as a standard BERT checkpoint.

    Args:
        sizes: Layers, widths and vocabulary.
        texts: Gives the texts for the tokenizer; called twice.
        folder: Where the checkpoint goes; created.
        seed: Seed of the weights.

    Returns:
        What should be said about it.

    Raises:
        DataError: If the rows are too few for a tokenizer, or have too many characters.
    """
    from transformers import BertConfig, BertModel, BertTokenizer

    vocabulary = _train_tokenizer(sizes, texts)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = BertTokenizer(
        vocab={token: number for number, token in enumerate(vocabulary)},
        do_lower_case=sizes.lowercase,
        strip_accents=False,  # left to itself it takes them away with the capitals
        model_max_length=sizes.positions,
    )
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=sizes.width,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.feed_forward,
        max_position_embeddings=sizes.positions,
        hidden_dropout_prob=sizes.dropout,
        attention_probs_dropout_prob=sizes.dropout,
        pad_token_id=0,
    )
    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(seed)
        BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return fewer_pieces(len(vocabulary), sizes.vocabulary)


def _train_tokenizer(sizes: ScratchEncoder, texts: Callable[[], Iterable[str]]) -> list[str]:
    """The tokens, in order."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token=_SPECIAL[1]))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=sizes.lowercase, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    characters = _characters(tokenizer.normalizer, texts())
    if not characters:
        raise untrainable("they hold no text")
    # Marks and Chinese characters are words: nothing goes on with them.
    inside = [each for each in characters if len(_words(tokenizer, f"a{each}")) == 1]
    needed = len(_SPECIAL) + len(characters) + len(inside)
    if needed > sizes.vocabulary:
        have = f"whose {len(characters):,} characters take {needed:,}"
        raise too_few(f"{sizes.vocabulary:,}", have, needed // 100 * 100 + 200)
    trainer = trainers.WordPieceTrainer(
        vocab_size=sizes.vocabulary,
        # Left to itself it numbers what words go on with as its threads find it, and draws other pieces in every run.
        special_tokens=[*_SPECIAL, *(f"##{each}" for each in inside)],
        initial_alphabet=characters,
        limit_alphabet=len(characters),
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts(), trainer)
    numbers = tokenizer.get_vocab()
    return sorted(numbers, key=numbers.__getitem__)


def _characters(normalizer: Any, texts: Iterable[str]) -> list[str]:
    """The characters of the texts, in order, without those so rare that all of them together are hardly any."""
    seen: Counter[str] = Counter()
    for text in texts:
        seen.update(normalizer.normalize_str(text))
    found = sorted((each for each in seen if not each.isspace()), key=lambda each: (-seen[each], each))
    room = (1 - _COVERED) * sum(seen[each] for each in found)
    while found and seen[found[-1]] <= room:
        room -= seen[found.pop()]
    return sorted(found)


def _words(tokenizer: Any, text: str) -> list[Any]:
    found: list[Any] = tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text))
    return found

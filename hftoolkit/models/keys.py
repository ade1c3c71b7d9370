"""Hashes by which results that depend on a checkpoint are kept."""

import hashlib
from pathlib import Path

from hftoolkit.models.loading import Loaded
from hftoolkit.models.quantizing import in_4bit

TOKENIZER = frozenset({".json", ".spm", ".model", ".txt"})
WEIGHTS = frozenset({".safetensors", ".bin"})


def tokenizer_key(folder: Path) -> str:
    """A hash of everything in a folder that a tokenizer may be made of."""
    return _hash(folder, TOKENIZER)


def content_key(loaded: Loaded) -> str:
    """A hash of a checkpoint: its files, those of the model it is an adapter of, and how its weights are kept."""
    parts = [_hash(folder, TOKENIZER | WEIGHTS) for folder in (loaded.folder, *loaded.bases)]
    return "+".join([*parts, *(["4bit"] if in_4bit(loaded.model) else [])])


def _hash(folder: Path, kinds: frozenset[str]) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix in kinds:
            digest.update(path.name.encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()

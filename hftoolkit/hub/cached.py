"""What the hub's cache holds completely, found without any connection."""

import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from hftoolkit.hub.choice import choose, weights_in
from hftoolkit.hub.folders import hub_cache

TOKENIZERS: tuple[frozenset[str], ...] = tuple(
    frozenset(names.split())
    for names in (
        "tokenizer.json",
        "vocab.txt",
        "vocab.json source.spm target.spm",
        "vocab.json merges.txt",
        "tokenizer.model",
        "spiece.model",
        "sentencepiece.bpe.model",
        "spm.model",
    )
)
"""Sets of files that make a whole tokenizer."""


def cached_snapshot(name: str, revision: str, kind: str, patterns: Sequence[str] | None) -> Path | None:
    """The folder of a hub id in the cache if everything wanted is there, otherwise None."""
    repository = repository_folder(name, kind)
    snapshot = repository / "snapshots" / _commit(repository, revision)
    if not snapshot.is_dir():
        return None
    listing = _listing(name, snapshot.name, kind)
    if listing is None:
        return snapshot if kind == "model" and patterns is None and _looks_complete(snapshot) else None
    wanted = choose(listing, kind, patterns)
    return snapshot if wanted and all((snapshot / file).is_file() for file in wanted) else None


def repository_folder(name: str, kind: str) -> Path:
    """Where the cache keeps a repository."""
    return hub_cache() / f"{kind}s--{name.replace('/', '--')}"


def remember_revision(name: str, revision: str, kind: str, commit: str) -> None:
    """Note which commit a branch or tag stands for, so that it is found without a connection."""
    if revision == commit:
        return
    path = repository_folder(name, kind) / "refs" / revision
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(commit)
    os.replace(unfinished, path)


def _commit(repository: Path, revision: str) -> str:
    note = repository / "refs" / revision
    return note.read_text(encoding="utf-8").strip() if note.is_file() else revision


def _listing(name: str, commit: str, kind: str) -> list[str] | None:
    from huggingface_hub import get_cached_repo_tree
    from huggingface_hub.errors import CachedRepoTreeNotFoundError

    try:
        tree = get_cached_repo_tree(name, repo_type=kind, revision=commit, cache_dir=hub_cache())
    except CachedRepoTreeNotFoundError:
        return None
    return [file.path for file in tree]


def _looks_complete(snapshot: Path) -> bool:
    # transformers and older versions of huggingface_hub leave no list of what a repository has.
    files = {file.relative_to(snapshot).as_posix() for file in snapshot.rglob("*") if file.is_file()}
    weights = weights_in(files)
    if not weights or "config.json" not in files or not any(needed <= files for needed in TOKENIZERS):
        return False
    return all(shard in files for shard in _shards(snapshot, weights[0]))


def _shards(snapshot: Path, weights: str) -> Iterable[str]:
    if not weights.endswith(".index.json"):
        return ()
    index = json.loads((snapshot / weights).read_text(encoding="utf-8"))
    return set(index["weight_map"].values())

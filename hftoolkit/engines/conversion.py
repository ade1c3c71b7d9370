"""A Marian checkpoint -> its form for CTranslate2 in our cache: found at once, made and checked the first time."""

import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import ctranslate2
from filelock import FileLock

from hftoolkit.engines.fingerprints import fingerprint_of_all
from hftoolkit.errors import ModelError
from hftoolkit.hub import cache_folder, writing_cache
from hftoolkit.hub.choice import weights_in

FORMAT = 1
"""Raised when the same checkpoint would be converted or checked differently."""

_FILES = (
    *("config.json", "generation_config.json", "adapter_config.json", "tokenizer_config.json", "tokenizer.json"),
    *("special_tokens_map.json", "added_tokens.json", "vocab.json", "target_vocab.json", "source.spm", "target.spm"),
)
"""Files besides the weights on which the conversion depends."""

_UNWRITABLE = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES),
    *(errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR),
)
"""Errors of the system that are the cache's; others may come from the checkpoint, which is read meanwhile."""


class UnsuitedError(ModelError):
    """A checkpoint that the fast engine does not run; the message is the reason alone."""


@dataclass(frozen=True)
class Outcome:
    """What came of a conversion; kept beside the converted model."""

    compute_type: str = ""
    """Number format of the model, as CTranslate2 names it."""

    refused: str | None = None
    """Why there is no converted model."""

    note: str | None = None
    """Why it is not in the number format that was wanted."""

    sentences: int = 0
    """Sentences on which it was tried."""

    ties: int = 0
    """Those where PyTorch found two tokens equally likely, within 1e-3, and the other one was taken."""

    chrf: float | None = None
    """chrF2 of its output against that in float32."""


def converted(
    folders: Sequence[Path], wanted: str, make: Callable[[Path], Outcome]
) -> tuple[Path, Outcome, float | None]:
    """The converted form of a checkpoint, made the first time.

    Args:
        folders: Where the checkpoint lies; behind an adapter's folder the model's that it belongs on.
        wanted: Number format, as CTranslate2 names it.
        make: Writes the model into an empty folder, and says what came of it.

    Returns:
        The folder of the model, what came of the conversion, and the seconds it took, None if it was there already.

    Raises:
        UnsuitedError: If the checkpoint was refused.
        OutputError: If the cache cannot be written.
    """
    place = _place(folders, wanted)
    seconds = None
    outcome = _kept(place)
    if outcome is None:
        begin = time.perf_counter()
        try:
            outcome = _made(place, folders, wanted, make)
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise
            with writing_cache(place.parent, "the converted model"):
                raise
        seconds = time.perf_counter() - begin
    if outcome.refused is not None:
        raise UnsuitedError(outcome.refused)
    return place, outcome, seconds


def _place(folders: Sequence[Path], wanted: str) -> Path:
    weights = [name for folder in folders for name in weights_in({path.name for path in folder.iterdir()})]
    names = [*_FILES, *dict.fromkeys(weights)]
    key = fingerprint_of_all(folders, names, str(FORMAT), ctranslate2.__version__, wanted)
    return cache_folder() / "ctranslate2" / key


def _kept(place: Path) -> Outcome | None:
    """What came of a conversion that is there; None: there is none, or files of it were lost or cut since."""
    try:
        note = json.loads((place / "outcome.json").read_text(encoding="utf-8"))
        whole = all((place / name).stat().st_size == size for name, size in note.pop("bytes").items())
        return Outcome(**note) if whole else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _made(place: Path, folders: Sequence[Path], wanted: str, make: Callable[[Path], Outcome]) -> Outcome:
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_suffix(".lock")):  # a second process waits, and finds it made
        kept = _kept(place)
        if kept is not None:
            return kept
        unfinished = Path(tempfile.mkdtemp(dir=place.parent, prefix="unfinished-"))
        try:
            outcome = make(unfinished)
            files = [path for path in sorted(unfinished.rglob("*")) if path.is_file()]
            sizes = {path.relative_to(unfinished).as_posix(): path.stat().st_size for path in files}
            note = json.dumps(asdict(outcome) | {"bytes": sizes}, indent=2)
            (unfinished / "outcome.json").write_text(note + "\n", encoding="utf-8")
            if _place(folders, wanted) != place:
                raise UnsuitedError("its files changed while they were read; try again")
            if place.exists():  # damaged
                shutil.rmtree(place)
            os.replace(unfinished, place)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return outcome

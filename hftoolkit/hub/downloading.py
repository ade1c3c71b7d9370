"""Files of a repository -> the hub's cache: resumed where a download broke off, refused where they are not as promised.

huggingface_hub throws away what has arrived when a download breaks off, and looks at the length of a file alone. The
layout is that of its cache: ``blobs/ETAG`` holds a content, ``snapshots/COMMIT/PATH`` is a link to it, or itself.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, cast
from urllib.parse import urljoin, urlsplit

from hftoolkit.hub.folders import hub_cache
from hftoolkit.hub.hashes import git_sha1, sha256
from hftoolkit.hub.retries import patiently

LARGE: Final = 1 << 20
"""Bytes from which on a file has a progress bar, and what has arrived of it is kept."""

CHUNK: Final = 1 << 18
"""Bytes that arrive, or are lost, together; huggingface_hub takes ten millions, which are minutes of a slow line."""

_AT_ONCE: Final = 4

_RESTARTS: Final = 5
"""How often a file begins again from its first byte, where a server cannot go on in the middle of one."""


class WrongContent(Exception):
    """A file that is not what the hub said it is."""


@dataclass(frozen=True)
class Repository:
    """A repository at a commit, and where the cache keeps it."""

    name: str
    kind: str
    commit: str
    endpoint: str
    folder: Path


@dataclass(frozen=True)
class Promise:
    """What the hub says of a file."""

    path: str

    size: int | None
    """Bytes."""

    sha256: str | None
    """Of a large file."""

    blob: str | None
    """Of any other file: Git's SHA-1 of its content."""


def download(repository: Repository, files: Sequence[Promise]) -> None:
    """Put files into the cache; those that are there already are not asked for.

    Raises:
        WrongContent: If a file has another length or another hash than the hub says; nothing of it is kept.
        HfHubHTTPError: If the hub refuses one.
        OSError: If the network or the disk gives out; what has arrived of a large file is kept.
    """
    with _small_chunks():
        _download(repository, files)


def _download(repository: Repository, files: Sequence[Promise]) -> None:
    missing = [file for file in files if not _pointer(repository, file).exists()]
    small = [file for file in missing if file.size is not None and file.size < LARGE]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(partial(_fetch, repository), small):
            pass
    for file in missing:  # in this thread, so that it can be interrupted
        if file not in small:
            _fetch(repository, file)


def _fetch(repository: Repository, file: Promise) -> None:
    from filelock import FileLock
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # loaded on first use

    url = hf_hub_url(
        repository.name,
        file.path,
        repo_type=repository.kind,
        revision=repository.commit,
        endpoint=repository.endpoint,
    )
    token: bool | None = None  # the user's, unless HF_HUB_DISABLE_IMPLICIT_TOKEN says that nobody gets it
    told = patiently(partial(get_hf_file_metadata, url, token=token, endpoint=repository.endpoint))
    location = urljoin(url, told.location)
    if urlsplit(location).netloc != urlsplit(url).netloc:
        token = False  # large files may lie elsewhere, and the address alone says that they may be read
    size = told.size if file.size is None else file.size
    # What the hub promised is what its ETags are; a mirror's own may be the same for two contents.
    blob = repository.folder / "blobs" / (file.sha256 or file.blob or _plain(told.etag or ""))
    lock = hub_cache() / ".locks" / repository.folder.name / f"{blob.name}.lock"
    for folder in (blob.parent, lock.parent, _pointer(repository, file).parent):
        folder.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        if not blob.exists():
            arriving = blob.with_name(f"{blob.name}.incomplete")
            get = partial(_get, location, build_hf_headers(token=token), size, file.path)
            try:
                resumed = patiently(partial(get, arriving))
            except WrongContent:
                arriving.unlink()
                raise
            if resumed and _wrong(arriving, file, size):  # what was there before may have been the bad part
                arriving.unlink()
                patiently(partial(get, arriving))
            if wrong := _wrong(arriving, file, size):
                arriving.unlink()
                raise WrongContent(wrong)
            os.replace(arriving, blob)
        _link(blob, _pointer(repository, file))


def _get(location: str, headers: dict[str, str], size: int | None, name: str, arriving: Path) -> bool:
    """Let what is missing of a file arrive; whether a part of it was there before."""
    from huggingface_hub.file_download import http_get

    if size is None or size < LARGE:
        arriving.unlink(missing_ok=True)  # it may come compressed, so a part is of no use
    with open(arriving, "ab") as file:
        before = file.tell()
        if size is not None and before > size:
            file.truncate(before := 0)
        try:
            http_get(
                location,
                file if size is None else cast(BinaryIO, _Bounded(file, size, name)),
                resume_size=before,
                headers=headers,
                expected_size=size,
                displayed_filename=name,
                tqdm_class=None if size is not None and size >= LARGE else _without_bar(),
            )
        except OSError as error:
            if type(error) is not OSError or error.errno is not None:
                raise  # the network's, or the disk's; of another length there is only a sentence
    return before > 0


class _Bounded:
    """A file that does not grow beyond what was promised, however much is sent, nor begins again without end."""

    def __init__(self, file: IO[bytes], size: int, name: str) -> None:
        self._file, self._size, self._name = file, size, name
        self._restarts = 0
        self.seek, self.tell = file.seek, file.tell

    def write(self, chunk: bytes) -> int:
        if self._file.tell() + len(chunk) > self._size:
            raise WrongContent(f"{self._name} has more bytes than the {self._size:,} that the hub says")
        return self._file.write(chunk)

    def truncate(self) -> int:
        """Begin again: the server does not know ranges."""
        self._restarts += 1
        if self._restarts > _RESTARTS:
            raise ConnectionError(f"{self._name} broke off {_RESTARTS + 1} times")
        return self._file.truncate()


def _wrong(path: Path, file: Promise, size: int | None) -> str:
    """What is wrong with a file that has arrived, in words; empty if it is as promised."""
    length = path.stat().st_size
    if size is not None and length != size:
        return f"{file.path} has {length:,} bytes, the hub says {size:,}"
    for name, promised, algorithm in (("SHA-256", file.sha256, sha256), ("SHA-1", file.blob, git_sha1)):
        if promised and (found := algorithm(path)) != promised:
            return f"{file.path} has {name} {found[:12]}..., the hub says {promised[:12]}..."
    return ""


@contextmanager
def _small_chunks() -> Iterator[None]:
    from huggingface_hub import constants

    before = constants.DOWNLOAD_CHUNK_SIZE
    constants.DOWNLOAD_CHUNK_SIZE = min(before, CHUNK)
    try:
        yield
    finally:
        constants.DOWNLOAD_CHUNK_SIZE = before


def _plain(etag: str) -> str:
    """An ETag as a file's name: what a hub sends must not lead elsewhere."""
    if etag.isascii() and etag.isalnum():
        return etag
    return hashlib.sha256(etag.encode()).hexdigest()


def _pointer(repository: Repository, file: Promise) -> Path:
    return repository.folder / "snapshots" / repository.commit / file.path


def _link(blob: Path, pointer: Path) -> None:
    try:
        pointer.symlink_to(os.path.relpath(blob, pointer.parent))
    except FileExistsError:
        return
    except OSError:  # Windows lets few users make links
        shutil.move(blob, pointer)


def _without_bar() -> type:
    from tqdm import tqdm

    class Silent(tqdm):  # type: ignore[misc]  # tqdm has no types
        def __init__(self, *args: Any, **settings: Any) -> None:
            super().__init__(*args, **{**settings, "disable": True})

    return Silent

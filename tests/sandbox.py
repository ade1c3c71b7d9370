"""A small world of files in which the program runs, watched: what it writes, asks of the network, and executes.

Beside the current folder lie things that are nobody's to touch. What is outside of the world cannot be written, as for
a user who has no rights there; that it was tried is noted.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from running import Outcome, hftoolkit

CANARY = "nothing may read this: 7f3a-b51c"
"""What stands in a file beside the current folder."""

_WRITES = {
    "os.mkdir": 1,
    "os.remove": 1,
    "os.rename": 2,
    "os.rmdir": 1,
    "os.link": 2,
    "os.symlink": 2,
    "os.truncate": 1,
}
"""What changes folders, with the number of paths that it is given."""

_EXECUTES = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen", "os.startfile")
_ASKS = ("socket.connect", "socket.getaddrinfo", "urllib.Request")


class _Ring(BaseException):
    """Ends what takes too long; nothing in the program catches it."""


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    outcome: Outcome
    seconds: float
    """Of the processor."""

    changed: frozenset[str]
    """Files and folders below the world that were made, changed or removed."""

    tried: tuple[str, ...]
    """Files and folders outside of the world that were to be made, changed or removed."""

    noted: tuple[str, ...]
    """Attempts to ask the network, and to execute something."""


@dataclass
class World:
    """Its folders; `clear` makes them as they were."""

    top: Path

    @property
    def work(self) -> Path:
        """The current folder of every command."""
        return self.top / "work"

    def clear(self, files: Mapping[str, bytes]) -> None:
        """Make the world anew, with some files below the current folder; what is in ``models`` stays."""
        for path in self.top.iterdir():
            if path.name != "models":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        (self.top / "temp").mkdir()
        for place in ("outside/secret.txt", "outside/run/recipe.yaml", "home/.profile"):
            (self.top / place).parent.mkdir(parents=True, exist_ok=True)
            (self.top / place).write_text(CANARY + "\n", encoding="utf-8")
        for name, content in files.items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def run(self, *arguments: str, seconds: float) -> Ran:
        """Run ``hftoolkit ARGUMENTS`` in the current folder.

        Raises:
            TimeoutError: If it takes longer than so many seconds of the processor, or ten times as long by the clock;
                where there are no alarms, when it has ended.
        """
        before, here = self._state(), os.getcwd()
        os.chdir(self.work)
        begin = time.process_time()
        try:
            with _places(self.top), _alarm(seconds), _watched(self.top) as watch:
                outcome = hftoolkit(*arguments)
        except _Ring:
            raise TimeoutError(f"after {seconds:.0f} s") from None
        finally:
            os.chdir(here)
        took = time.process_time() - begin
        if took > seconds:
            raise TimeoutError(f"{took:.0f} s")
        after = self._state()
        changed = {name for name in before | after if before.get(name) != after.get(name)}
        return Ran(outcome, took, frozenset(changed), tuple(watch.tried), tuple(watch.noted))

    def holds(self, text: str) -> list[str]:
        """Names of the files that a run wrote, its cache among them, in which a text stands."""
        wanted = text.encode()
        return [
            str(path.relative_to(self.top))
            for name in ("work", "cache")
            for path in (self.top / name).rglob("*")
            if path.is_file() and wanted in path.read_bytes()
        ]

    def _state(self) -> dict[str, Any]:
        """All below the world but the cache: of files, what tells whether they were changed."""
        found: dict[str, Any] = {}
        for folder, folders, files in os.walk(self.top):
            if Path(folder) == self.top:
                folders[:] = [name for name in folders if name != "cache"]
            for name in (*folders, *files):
                path = os.path.join(folder, name)
                state = os.lstat(path)
                found[os.path.relpath(path, self.top)] = name in folders or (state.st_size, state.st_mtime_ns)
        return found


@contextmanager
def _places(top: Path) -> Iterator[None]:
    """Home, cache and temporary files below the world."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(top / "home"))
        patch.setenv("USERPROFILE", str(top / "home"))
        patch.setenv("HFTOOLKIT_CACHE", str(top / "cache"))
        patch.setattr(tempfile, "tempdir", str(top / "temp"))
        yield


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Interrupt what takes longer, where the system has alarms."""

    def ring(*_: object) -> None:
        raise _Ring

    if not hasattr(signal, "setitimer"):
        yield
        return
    clocks = {signal.ITIMER_PROF: (signal.SIGPROF, seconds), signal.ITIMER_REAL: (signal.SIGALRM, 10 * seconds)}
    before = {number: signal.signal(number, ring) for number, _ in clocks.values()}
    for clock, (_, limit) in clocks.items():
        signal.setitimer(clock, limit)
    try:
        yield
    finally:
        for clock in clocks:
            signal.setitimer(clock, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


class _Watch:
    """The hook that Python calls at every such event; once added it stays, so it is told when to look."""

    top: str | None = None
    tried: list[str]
    noted: list[str]

    def __call__(self, event: str, arguments: Sequence[Any]) -> None:
        if self.top is None:
            return
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                self._write(path)
        elif event in _WRITES:
            if arguments[-1] in (-1, None) or event in ("os.link", "os.truncate"):  # else it counts from an open folder
                for path in arguments[: _WRITES[event]]:
                    self._write(path)
        elif event in _EXECUTES or event in _ASKS:
            self.noted.append(f"{event} {arguments!r:.200}")
        elif event == "exec" and os.path.isabs(arguments[0].co_filename) and self._inside(arguments[0].co_filename):
            self.noted.append(f"{event} {arguments[0].co_filename}")

    def _write(self, path: Any) -> None:
        if isinstance(path, int) or self._inside(path) or self._inside(path, os.environ["HF_HOME"]):
            return
        if os.fspath(path) == os.devnull or os.fsdecode(path).endswith((".pyc", "__pycache__")):
            return
        self.tried.append(os.path.abspath(os.fsdecode(path)))
        raise PermissionError(13, "Permission denied", os.fsdecode(path))

    def _inside(self, path: Any, folder: str | None = None) -> bool:
        return os.path.abspath(os.fsdecode(path)).startswith(os.path.join(folder or str(self.top), ""))


_WATCH = _Watch()


@contextmanager
def _watched(top: Path) -> Iterator[_Watch]:
    if not hasattr(_WATCH, "noted"):
        sys.addaudithook(_WATCH)
    _WATCH.noted, _WATCH.tried, _WATCH.top = [], [], str(top)
    try:
        yield _WATCH
    finally:
        _WATCH.top = None

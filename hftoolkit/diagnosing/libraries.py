"""Versions of what the program stands on, and whether it loads: needed libraries, optional parts."""

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, version
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hftoolkit.diagnosing.diagnosis import Finding
from hftoolkit.diagnosing.loading import load

SHOWN: Final = (
    *("torch", "transformers", "datasets", "accelerate", "peft", "evaluate"),
    *("huggingface_hub", "ctranslate2", "sentencepiece", "tokenizers", "sacrebleu"),
)
"""Libraries that are named and loaded, in this order; others only where something is wrong with them."""

USES: Final = {
    "openai": "translating by Ollama and other servers",
    "qlora": "training beside weights in 4 bits, on a GPU",
    "tracking": "curves in TensorBoard",
}
"""What optional parts are for."""


def needed_libraries() -> Iterator[Finding]:
    """This program, its Python, and the libraries without which it does not run."""
    yield Finding("hftoolkit", _version("hftoolkit") or "not installed, its version is not known")
    bits = 64 if sys.maxsize > 2**32 else 32
    yield Finding("Python", f"{platform.python_version()}, {platform.python_implementation()}, {bits} bit")
    yield Finding("system", platform.platform())
    needed = {_name(each): each for each in _requirements() if _applies(each)}
    for name in SHOWN:
        yield _library(name, needed.get(name) or Requirement(name), loads=True)
    others = [_library(name, each, loads=False) for name, each in needed.items() if name not in SHOWN]
    wrong = [finding for finding in others if finding.state != "ok"]
    yield from wrong
    if not needed:
        yield Finding("others", "not looked at: what hftoolkit needs is known where it is installed", "note")
    else:
        yield Finding("others", f"{len(others) - len(wrong)} of {len(others)} there, in versions that will do")


def optional_parts() -> Iterator[Finding]:
    """What not everybody needs, with the command that installs it."""
    declared = _metadata("Provides-Extra")
    for part in filter(declared.__contains__, USES):
        wanted = [each for each in _requirements() if _applies(each, part) and not _applies(each)]
        found = [_library(_name(each), each, loads=False) for each in wanted]
        missing = [finding for finding in found if finding.state != "ok"]
        text = ", ".join(f"{each.name} {each.text}" for each in missing or found) + f"; for {USES[part]}"
        yield Finding(part, text, "note", f"pip install 'hftoolkit[{part}]'") if missing else Finding(part, text)


def _library(name: str, needed: Requirement, *, loads: bool) -> Finding:
    found, install = _version(name), f"pip install '{needed.name}{needed.specifier}'"
    if found is None:
        return Finding(name, "not installed", "problem", install)
    if not needed.specifier.contains(found, prereleases=True):
        return Finding(name, f"{found}, where {needed.specifier} is needed", "problem", install)
    why = load(name)[1] if loads else ""
    if why:
        again = f"install it again:  pip install --force-reinstall --no-deps '{name}=={found}'"
        build = found.partition("+")[2]  # of PyTorch, as in 2.13.0+cpu, which is at another place than other packages
        where = f" --index-url https://download.pytorch.org/whl/{build}" if build else ""
        return Finding(name, f"{found} does not load: {why}", "problem", again + where)
    return Finding(name, found)


def _version(name: str) -> str | None:
    """The version that is installed; None also where an interrupted pip left a part of it."""
    try:
        return version(name) or None
    except PackageNotFoundError:
        return None


def _requirements() -> list[Requirement]:
    return [Requirement(each) for each in _metadata("Requires-Dist")]


def _applies(requirement: Requirement, part: str = "") -> bool:
    """Whether something is needed on this machine: by everybody, or for an optional part."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": part})


def _metadata(key: str) -> list[str]:
    try:
        return metadata("hftoolkit").get_all(key) or []
    except PackageNotFoundError:
        return []


def _name(requirement: Requirement) -> str:
    return canonicalize_name(requirement.name).replace("-", "_")

"""``package:NAME/FOLDER`` -> the folder inside an installed Python package."""

from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path

from hftoolkit.errors import HubError, UsageError


def package_folder(name: str) -> Path:
    """Find a folder inside an installed package without running the package's code.

    Raises:
        UsageError: If the name is not of the form ``package:NAME/FOLDER``.
        HubError: If the package is not installed or has no such folder.
    """
    package, _, inner = name.removeprefix("package:").partition("/")
    parts = [part for part in inner.split("/") if part]
    if not package.isidentifier() or not parts or any(part in (".", "..") or "\\" in part for part in parts):
        raise UsageError(f"{name!r} names no folder of a package\n  expected package:NAME/FOLDER")
    try:
        spec = find_spec(package)
    except ValueError:  # what runs was not imported: __main__
        spec = None
    if spec is None:
        raise HubError(f"{name!r}: the package {package!r} is not installed\n  install it:  pip install {package}")
    places = [Path(place) for place in spec.submodule_search_locations or ()]
    for place in places:
        if (folder := place.joinpath(*parts)).is_dir():
            return folder
    raise HubError(f"{name!r}: the package {package!r} has no folder {'/'.join(parts)!r}{_near(places, parts)}")


def _near(places: list[Path], parts: list[str]) -> str:
    folders = [
        child.name for place in places if place.is_dir() for child in sorted(place.iterdir()) if _may_hold_files(child)
    ]
    near = get_close_matches(parts[0], folders, n=1) or folders[:5]
    return f"\n  it has:  {', '.join(near)}" if near else ""


def _may_hold_files(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(("_", "."))

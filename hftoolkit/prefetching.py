"""Everything that recipes need from the hub, downloaded beforehand and locked, perhaps packed for another machine."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hftoolkit import hub
from hftoolkit.data.sources.formats import format_of
from hftoolkit.errors import HubError, OutputError, UsageError
from hftoolkit.evaluation import read
from hftoolkit.hub.bundle import write_bundle
from hftoolkit.hub.locking import NAME, Locked, lock_of, lock_text, parse_lock, write_lock
from hftoolkit.models.adapter_folders import adapter_base, is_adapter
from hftoolkit.models.scratch_decoder import TOKENIZER_FILES
from hftoolkit.recipe.schema import Recipe, ScratchDecoder, Source


@dataclass(frozen=True)
class Prefetched:
    """What is on this machine now."""

    locked: tuple[Locked, ...]
    """Repositories of the hub, by commit and hash."""

    notes: tuple[str, ...] = ()
    """What should be said."""

    def __str__(self) -> str:
        if not self.locked:
            return "nothing: these recipes need nothing from the hub"
        return "\n".join(_line(one) for one in self.locked)


def prefetch(
    recipes: Sequence[Recipe | Mapping[str, Any] | str | Path], *, bundle: str | Path | None = None
) -> Prefetched:
    """Download all that recipes name at the hub, and write ``hftoolkit.lock`` into the current folder.

    Models with their tokenizers, models that adapters belong on, and data sets; what is complete in the cache is taken
    from there. From then on every command in this folder takes exactly these files, and anything else is an error.

    Args:
        recipes: Recipes, mappings, files or names of built-in ones.
        bundle: A file to pack it into, for `unbundle` on a machine without a network.

    Raises:
        RecipeError: If a recipe has problems.
        HubError: If something cannot be fetched.
        OutputError: If lock or bundle cannot be written, or the bundle would replace what it is made of.
    """
    if not recipes:
        raise UsageError("nothing to fetch: name a recipe, or several")
    made = [read(recipe, []) for recipe in recipes]
    if bundle is not None:
        _check_bundle(Path(bundle), recipes)
    found: dict[tuple[str, str, str], tuple[Locked, Path]] = {}
    with hub.unlocked():
        for recipe in made:
            with hub.using(hub.of_recipe(recipe.endpoint)):
                for entry, folder in _needed(recipe):
                    key = (entry.kind, entry.name, entry.revision)
                    known = found.get(key)
                    both = entry if known is None else _together(known[0], entry)
                    found[key] = (both, folder)
    text = lock_text([entry for entry, _ in found.values()])
    if bundle is not None:
        write_bundle(Path(bundle), text, list(found.values()))
    notes = (*_notes(made), *_no_longer_locked(found))
    write_lock(text, Path(NAME))
    return Prefetched(parse_lock(text.encode(), NAME), notes)


def _check_bundle(bundle: Path, recipes: Iterable[object]) -> None:
    """Refuse a bundle that would replace a folder, a recipe or the lock, before anything is downloaded."""
    own = [Path(NAME), *(Path(recipe) for recipe in recipes if isinstance(recipe, str | Path))]
    if not bundle.name or bundle.is_dir():
        raise OutputError(f"{bundle}: a folder\n  name a file for the bundle, such as all.tar")
    if bundle.resolve() in [path.resolve() for path in own]:
        raise OutputError(f"{bundle}: is what the bundle is made of\n  name another file, such as all.tar")


def _needed(recipe: Recipe) -> Iterator[tuple[Locked, Path]]:
    """Repositories that a recipe needs, each with its folder in the cache."""
    if recipe.model.name is not None:
        yield from _model(recipe.model.name, recipe.model.revision)
    sizes = recipe.model.scratch
    if isinstance(sizes, ScratchDecoder) and sizes.tokenizer is not None:
        yield from _at_hub(
            sizes.tokenizer, "main", "model", hub.resolve(sizes.tokenizer, files=TOKENIZER_FILES), TOKENIZER_FILES
        )
    for source in (*recipe.data.train, recipe.data.validation, *recipe.data.test.values()):
        if isinstance(source, Source) and format_of(source) == "hub" and source.source is not None:
            folder = hub.resolve(source.source, source.revision, "dataset")
            yield from _at_hub(source.source, source.revision, "dataset", folder)


def _model(name: str, revision: str) -> Iterator[tuple[Locked, Path]]:
    """A model, and those that it is an adapter of."""
    folder = hub.resolve(name, revision)
    yield from _at_hub(name, revision, "model", folder)
    if is_adapter(folder):
        yield from _model(*adapter_base(folder))


def _at_hub(
    name: str, revision: str, kind: str, folder: Path, patterns: Sequence[str] | None = None
) -> Iterator[tuple[Locked, Path]]:
    if hub.in_cache(folder):  # not a folder of the user's, nor one of a package
        yield lock_of(kind, name, revision, folder, patterns), folder


def _together(one: Locked, other: Locked) -> Locked:
    """One entry for what two recipes need of the same repository."""
    return Locked(one.kind, one.name, one.revision, other.commit, {**one.files, **other.files})


def _notes(recipes: Iterable[Recipe]) -> Iterator[str]:
    metrics = sorted({name for recipe in recipes for name in recipe.evaluation.trust_metric_code})
    if metrics:
        yield f"metrics from the hub are code, and are not fetched: {', '.join(metrics)}"


def _no_longer_locked(found: Collection[tuple[str, str, str]]) -> Iterator[str]:
    try:
        before = parse_lock(Path(NAME).read_bytes(), NAME)
    except (OSError, HubError):
        return
    gone = [one.name for one in before if (one.kind, one.name, one.revision) not in found]
    if gone:
        yield f"{NAME} no longer names what these recipes do not need: {', '.join(gone)}"


def _line(entry: Locked) -> str:
    size = sum(file.size for file in entry.files.values())
    kind = "data set" if entry.kind == "dataset" else entry.kind
    what = f"{len(entry.files)} files, {size / 2**20:.1f} MiB"
    return f"{kind:8}  {entry.name}  {entry.revision} = {entry.commit[:12]}  {what}"

"""Hub data sets: `datasets` tells which files make up a subset and split; the usual formats we read ourselves.

It takes the words NA, null and nan in a CSV for missing values, digits for numbers, and holds more in memory.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from hftoolkit.data.sources import delimited, jsonl, parquet
from hftoolkit.data.sources.class_labels import Features, has_names, with_names
from hftoolkit.data.sources.columns import missing_column, names_in, row_of, wanted_names
from hftoolkit.data.sources.reading import Part, Raw, Reading
from hftoolkit.errors import DataError
from hftoolkit.hub import cache_folder, resolve
from hftoolkit.recipe.schema import Source

_READERS = {
    ".parquet": parquet.read,
    ".jsonl": jsonl.read,
    ".csv": delimited.read_csv,
    ".tsv": delimited.read_csv,  # TSV on the hub has quotes as CSV has, for `datasets`
}
_RAISED = (ValueError, TypeError, LookupError, AttributeError, RuntimeError, OSError)
"""What `datasets` raises for a layout, a card or a file that it does not know."""

_SETTLED = {"name", "version", "description", "data_dir", "data_files", "features", "sep"}


def parts_of(source: Source) -> list[Part]:
    """The files of one split of a data set on the hub, or of a folder that is laid out like one."""
    folder = _folder(source)
    builder = _builder(source, folder)
    splits: dict[str, list[str]] = builder.config.data_files
    split = _chosen("split", source.split, list(splits), source)
    files = [Path(file) for file in splits[split]]
    features = builder.info.features.to_dict() if builder.info.features else {}
    readers = [_READERS.get("".join(file.suffixes[-1:])) for file in files]
    if _is_plain(builder.config) and all(readers):
        names = [file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.name for file in files]
        return [
            Part(name, partial(_named, partial(reader, file), features))
            for name, reader, file in zip(names, readers, files, strict=True)
            if reader is not None
        ]
    try:
        return [Part(split, partial(_named, partial(_streamed, builder.as_streaming_dataset(split)), features))]
    except _RAISED as error:
        raise _unreadable(source, error) from error


def files_of(source: Source) -> list[Path]:
    """All files of the data set, whatever their split: its own description may change what a split is."""
    folder = _folder(source)
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _folder(source: Source) -> Path:
    return resolve(source.source or "", source.revision, kind="dataset")


def _builder(source: Source, folder: Path) -> Any:
    import datasets
    from yaml import YAMLError  # type: ignore[import-untyped]

    try:
        _check_card(source, folder)
        subsets = datasets.get_dataset_config_names(str(folder))
        subset = _chosen("subset", source.subset, subsets, source)
        # It leaves a lock there, though nothing is kept.
        return datasets.load_dataset_builder(str(folder), name=subset, cache_dir=str(cache_folder() / "datasets"))
    except (*_RAISED, YAMLError) as error:
        raise _unreadable(source, error) from error


def _check_card(source: Source, folder: Path) -> None:
    """Refuse a card that names files elsewhere: what was downloaded shall not choose what is read of this machine."""
    import yaml
    from huggingface_hub import DatasetCard

    card, more = folder / "README.md", folder / ".huggingface.yaml"
    found = [DatasetCard.load(card).data.to_dict()] if card.is_file() else []
    found += [yaml.safe_load(more.read_text(encoding="utf-8")) or {}] if more.is_file() else []
    for subset in [subset for data in found for subset in data.get("configs") or ()]:
        for name in _texts([subset.get("data_files"), subset.get("data_dir")]):
            away = "://" in name or os.path.isabs(name) or name.startswith("~")
            if away or ".." in name.replace("\\", "/").split("/"):
                raise DataError(
                    f"{source.source}: its card names {name!r}, which lies outside of the data set and is not read\n"
                    "  name the file itself as a source, if it is meant"
                )


def _texts(value: Any) -> Iterator[str]:
    """All texts in lists and mappings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _unreadable(source: Source, error: Exception) -> DataError:
    return DataError(
        f"{source.source}: not a data set that can be read: {error}\n"
        "  data sets that need a script of their own are no longer supported by 'datasets': name its Parquet copy"
    )


def _chosen(key: str, name: str | None, names: Sequence[str], source: Source) -> str:
    """The named one, or the only one."""
    if name in names:
        return str(name)
    if name is None and len(names) == 1:
        return names[0]
    listed = f"  the {key}s are: {', '.join(names)}"
    if name is None:
        raise DataError(f"{source.source}: has {len(names)} {key}s\n{listed}\n  choose one:  {key}: {names[0]}")
    near = get_close_matches(name, names, n=1)
    raise DataError(f"{source.source}: no {key} {name!r}{f'; did you mean {near[0]!r}?' if near else ''}\n{listed}")


def _is_plain(config: Any) -> bool:
    """Whether the data set's card has no wishes as to how its files are read."""
    default = type(config)()
    return all(
        getattr(config, each.name) == getattr(default, each.name)
        for each in fields(config)
        if each.name not in _SETTLED
    )


def _named(read: Callable[[Reading], Iterator[Raw]], features: Features, reading: Reading) -> Iterator[Raw]:
    """Rows with names of labels, where the data set's card has them."""
    raws = read(reading)
    if not has_names(features):
        return raws
    names = wanted_names(reading.source, reading.roles)
    return ((with_names(row, names, features), place, number) for row, place, number in raws)


def _streamed(dataset: Any, reading: Reading) -> Iterator[Raw]:
    """Rows as `datasets` reads them: JSON lists, CSV in unusual dialects and whatever else it knows."""
    name, names = reading.source.source or "", wanted_names(reading.source, reading.roles)
    number = 0
    try:
        for record in dataset:
            number += 1
            yield row_of(record, names), f"{name}: row", number
    except KeyError as error:
        raise missing_column(name, error.args[0], names, names_in(record)) from None
    except _RAISED as error:
        place = f"{name}: row {number + 1}"
        raise DataError(f"{place}: cannot be read: {error}\n  repair the file, or leave it out") from error

"""What would have been known where an unknown word stands."""

import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag


def near(word: str, known: Iterable[str]) -> str:
    """Write the end of a message about an unknown word: the nearest known one, or all of them."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; expected one of {', '.join(repr(name) for name in names)}" if names else ""


def known_keys(model: type[BaseModel], loc: Sequence[str | int]) -> set[str]:
    """Follow pydantic's path through the annotations to the keys that are known at its end."""
    kinds: list[Any] = [model]
    for step in loc:
        below = [inner for kind in kinds for inner in _inside(kind, step)]
        kinds = below or kinds
    return {name for kind in kinds for name in _fields(kind)}


def _inside(kind: Any, step: str | int) -> Iterator[Any]:
    if isinstance(step, str) and step.startswith("<"):
        yield from _labelled(kind, step)
        return
    for part in _branches(kind):
        origin, arguments = get_origin(part), get_args(part)
        if isinstance(part, type) and issubclass(part, BaseModel):
            if step in part.model_fields:
                yield part.model_fields[str(step)].annotation
        elif isinstance(step, int) and origin in (list, tuple, set):
            yield from arguments[:1]
        elif isinstance(step, str) and origin in (dict, Mapping):
            yield arguments[1]


def _labelled(kind: Any, label: str) -> Iterator[Any]:
    """The branch of a union that has a label."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated and Tag(label) in arguments[1:]:
        yield arguments[0]
    elif origin is Annotated:
        yield from _labelled(arguments[0], label)
    elif origin in (Union, types.UnionType):
        for branch in arguments:
            yield from _labelled(branch, label)


def _fields(kind: Any) -> Iterator[str]:
    for part in _branches(kind):
        if isinstance(part, type) and issubclass(part, BaseModel):
            yield from part.model_fields


def _branches(kind: Any) -> Iterator[Any]:
    origin = get_origin(kind)
    if origin is Annotated:
        yield from _branches(get_args(kind)[0])
    elif origin in (Union, types.UnionType):
        for branch in get_args(kind):
            yield from _branches(branch)
    else:
        yield kind

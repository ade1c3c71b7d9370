"""What a report shows of a test set besides scores: tables, matrices, curves, lists of examples."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Table:
    """Rows of text and numbers under a header."""

    title: str
    header: list[str]

    rows: list[list[str | int | float]]
    """Numbers are shown with one decimal, whole ones without."""

    note: str = ""
    """A sentence below it."""

    kind: Literal["table"] = "table"


@dataclass(frozen=True)
class Matrix:
    """How often one thing was taken for another."""

    title: str

    names: list[str]
    """Of the rows, which are what is right, and of the columns, which are what was predicted."""

    counts: list[list[int]]
    """Shape ``[names, names]``."""

    note: str = ""
    """A sentence below it."""

    kind: Literal["matrix"] = "matrix"


@dataclass(frozen=True)
class Curve:
    """Points of one quantity over another, in a square from 0 to 100."""

    title: str
    x_label: str
    y_label: str

    points: list[tuple[float, float]]
    """From left to right."""

    sizes: list[int] = field(default_factory=list)
    """How many rows are behind each point."""

    diagonal: str = ""
    """What it would mean to lie on the diagonal; empty: it is not drawn."""

    note: str = ""
    """A sentence below it."""

    kind: Literal["curve"] = "curve"


@dataclass(frozen=True)
class Listing:
    """Rows of a test set that are worth looking at, with what is to be known of each."""

    title: str

    header: list[str]
    """Behind the number of the row: what every item has."""

    items: list[tuple[int, list[str]]]
    """Number of the row, from 1, and a text for every word of the header."""

    note: str = ""
    """A sentence below it."""

    kind: Literal["listing"] = "listing"


Section = Table | Matrix | Curve | Listing

"""What of a document is translated, from what to what."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What a format needs to know besides the document."""

    source: str
    """Language translated from, such as ``en``."""

    target: str
    """Language translated to, such as ``zh-Hans``."""

    columns: tuple[str, ...] = ()
    """JSON Lines, CSV and TSV: which columns, by name or, in tables, number from 1; empty: the one that is obvious."""

    all_entries: bool = False
    """PO, XLIFF and TMX: every entry; otherwise those that are untranslated or fuzzy."""

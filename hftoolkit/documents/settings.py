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
    """JSON Lines, CSV and TSV: which columns, by name, or number if a table has no header; empty: the obvious one."""

    all_entries: bool = False
    """PO, XLIFF and TMX: every entry; otherwise those that are untranslated or fuzzy."""

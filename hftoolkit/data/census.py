"""What became of the rows of one source: none is dropped in silence."""

from dataclasses import dataclass, field


@dataclass
class Census:
    """Counts of one source; always ``read == kept + sum(dropped.values())``."""

    name: str
    """The source as the recipe names it."""

    read: int = 0
    """Rows found in the source, usable or not."""

    kept: int = 0
    """Rows that are used."""

    dropped: dict[str, int] = field(default_factory=dict)
    """Rows that are not used, by reason."""

    notes: list[str] = field(default_factory=list)
    """What else a user should know, such as a byte order mark."""

    def drop(self, reason: str) -> None:
        """Count a row that was read and is not used."""
        self.read += 1
        self.dropped[reason] = self.dropped.get(reason, 0) + 1

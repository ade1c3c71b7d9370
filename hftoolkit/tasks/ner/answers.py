"""What rows say is right: tags of whatever scheme, or spans, read as entities in words."""

from collections.abc import Sequence

from hftoolkit.data.rows import Rows
from hftoolkit.data.spans import Span
from hftoolkit.errors import DataError
from hftoolkit.metrics.schemes import SchemeFinder
from hftoolkit.metrics.tags import Entity, Fault, Scheme, faults, lenient_entities, write_tags
from hftoolkit.tasks.base import Row
from hftoolkit.tasks.ner.options import Options
from hftoolkit.tasks.ner.sentences import Aligned, Sentence, aligned

_SHOWN = 60
"""Characters of a sentence that a message shows."""


class Answers:
    """Reads the answers of rows.

    Args:
        options: The recipe's.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.scheme: Scheme | None = options.scheme
        """That of the rows; None: not known, any is read, and nothing is refused for its order."""

    @property
    def plain(self) -> bool:
        """Whether tags say nothing of entities."""
        return self.scheme == "none"

    def find_scheme(self, rows: Rows) -> None:
        """Tell the scheme by the rows, where the recipe does not say it."""
        if self.options.scheme is None and not self.options.spans:
            finder = SchemeFinder()
            for row in rows:
                finder.add(row["tags"])
            self.scheme = finder.scheme()

    def tags(self, row: Row, sentence: Sentence) -> list[str]:
        """A tag for every word; those of entities in IOB2.

        Raises:
            DataError: If the row's tags break their scheme.
        """
        if self.plain:
            return list(row["tags"])
        return write_tags(self.entities(row, sentence), len(sentence.words), "IOB2")

    def entities(self, row: Row, sentence: Sentence) -> list[Entity]:
        """The entities of a row, in words.

        Raises:
            DataError: If the row's tags break their scheme.
        """
        if self.options.spans:
            return [part.entity for part in self.aligned(row, sentence) if part.entity]
        if fault := self.fault(row["tags"]):
            raise DataError(
                f"a row's tags break their scheme: {fault_in(row, fault)}, in '{sentence.text:.{_SHOWN}}'\n"
                f"  to see its file and line:   hftoolkit check RECIPE\n  {self.advice}"
            )
        return lenient_entities(row["tags"], "IOB2")  # where there is no fault, all schemes are read so

    def aligned(self, row: Row, sentence: Sentence) -> list[Aligned]:
        """The spans of a row, in words."""
        return aligned(map(Span.read, row["spans"]), sentence)

    def fault(self, tags: Sequence[str]) -> Fault | None:
        """What is wrong about the tags of a row; None where they are read."""
        if self.plain:
            return None
        found = self.faults(tags)
        if self.scheme is None or self.options.mend:
            found = [fault for fault in found if not is_tag(tags[fault.position])]
        return found[0] if found else None

    def faults(self, tags: Sequence[str]) -> list[Fault]:
        """All that breaks the scheme, whether or not it is read."""
        return faults(tags, self.scheme or "IOB2")

    @property
    def advice(self) -> str:
        """What to do about tags that break their scheme."""
        scheme, other = self.scheme or "IOB2", "IOB2" if self.scheme == "IOB1" else "IOB1"
        return (
            f"the tags are read as {scheme}; where that is wrong, say so:   options: {{scheme: {other}}}\n"
            "  correct the others, or have them read all the same:   options: {mend: true}"
        )


def fault_in(row: Row, fault: Fault) -> str:
    """What is wrong about a row's tags, with its word."""
    return f"word {fault.position + 1}, '{row['words'][fault.position]:.40}': {fault.reason}"


def is_tag(tag: str) -> bool:
    """Whether any scheme of entities has such a tag."""
    try:
        lenient_entities([tag], "IOB2")
    except ValueError:
        return False
    return True

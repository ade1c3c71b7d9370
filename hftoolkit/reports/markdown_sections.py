"""What a report shows besides scores, as Markdown: all of it becomes tables."""

from collections.abc import Iterable, Iterator

from hftoolkit.reports.markdown_text import plain, table
from hftoolkit.reports.sections import Curve, Listing, Matrix, Section, Table
from hftoolkit.reports.wording import cell, number


def render_sections(sections: Iterable[Section], test: str) -> Iterator[str]:
    """Blocks of Markdown.

    Args:
        sections: Of one test set.
        test: Its name.
    """
    for section in sections:
        yield f"## {plain(section.title)} on '{plain(test)}'"
        yield _body(section)
        if section.note:
            yield plain(section.note)


def _body(section: Section) -> str:
    match section:
        case Table():
            return table([*map(plain, section.header)], ([plain(cell(value)) for value in row] for row in section.rows))
        case Matrix():
            rows = zip(section.names, section.counts, strict=True)
            return table(
                ["right, by row; predicted, by column", *map(plain, section.names)],
                ([f"**{plain(name)}**", *(f"{count:,}" for count in counts)] for name, counts in rows),
            )
        case Curve():
            sizes = [[f"{size:,}"] for size in section.sizes] or [[]] * len(section.points)
            return table(
                [plain(section.x_label), plain(section.y_label), *(["rows"] * bool(section.sizes))],
                ([number(x), number(y), *size] for (x, y), size in zip(section.points, sizes, strict=True)),
            )
        case Listing():
            return table(
                ["row", *map(plain, section.header)],
                ([f"{row:,}", *map(plain, texts)] for row, texts in section.items),
            )

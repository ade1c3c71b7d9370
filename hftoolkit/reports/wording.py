"""Numbers as people read them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hftoolkit.reports.scores import Score


def reached(score: "Score") -> str:
    """A score: 41.2; metrics of the hub, which have no signature, often go from 0 to 1: 0.834."""
    return f"{score.value:.{_decimals(score)}f}"


def gained(before: "Score", after: "Score") -> str:
    """The difference of two scores, with its sign: +11.1."""
    return f"{after.value - before.value:+.{_decimals(after)}f}"


def number(value: float, decimals: int = 1) -> str:
    """An end of a score's interval: 41.2."""
    return f"{value:.{decimals}f}"


def interval(score: "Score") -> str:
    """A score's interval as a terminal shows it behind the score; nothing where there is none."""
    if score.low is None or score.high is None:
        return ""
    return f"  [{number(score.low, score.decimals)}, {number(score.high, score.decimals)}]"


def cell(value: str | int | float) -> str:
    """What stands in a cell of a table: text as it is, whole numbers, others with one decimal."""
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else number(value)


def signed(value: float, decimals: int = 1) -> str:
    """A difference, with its sign: +11.1."""
    return f"{value:+.{decimals}f}"


def probability(p: float) -> str:
    """The outcome of a test: p = 0.014."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def duration(seconds: float) -> str:
    """A time in its two largest units: 1 h 12 min.

    Example:
        >>> duration(4350), duration(200), duration(4.24), duration(59.96)
        ('1 h 12 min', '3 min 20 s', '4.2 s', '1 min 0 s')
    """
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    if round(seconds) < 3600:
        return f"{round(seconds) // 60} min {round(seconds) % 60} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min"


def memory(size: int) -> str:
    """Bytes in binary units: 1.8 GiB.

    Example:
        >>> memory(1_900_000_000), memory(3_000_000), memory(12)
        ('1.8 GiB', '3 MiB', '0 MiB')
    """
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


def amount(count: float) -> str:
    """A large count, rounded: 74.4 M.

    Example:
        >>> amount(74_400_000), amount(17_253), amount(999)
        ('74.4 M', '17.3 k', '999')
    """
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if count >= size:
            return f"{count / (1e3 if unit == 'k' else size):.1f} {unit}"
    return f"{count:,.0f}"


def share(part: float, whole: float) -> str:
    """Part of a whole in percent: 1.6 %."""
    return f"{100 * part / whole:.1f} %" if whole else "0.0 %"


def counted(count: int, noun: str) -> str:
    """A count with its noun, plural where it is not one: 1 row, 2 rows."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def joined(parts: Iterable[str]) -> str:
    """Parts as a list in a sentence: a, b and c."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _decimals(score: "Score") -> int:
    return 3 if not score.signature and abs(score.value) <= 1 else score.decimals

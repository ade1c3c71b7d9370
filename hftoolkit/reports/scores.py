"""How good a result is: scores on named test sets, before against after."""

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Discriminator

from hftoolkit.reports.sections import Section

UNTOUCHED = "the untouched model"
"""The baseline that is not trivial: the model before training."""


@dataclass(frozen=True)
class Score:
    """One score of one model on one test set."""

    name: str
    """`BLEU`, `chrF2`, ..."""

    value: float
    """The score itself, in the unit its signature implies: BLEU and chrF from 0 to 100."""

    low: float | None
    """Lower end of the 95 % interval; None for a score that cannot be resampled."""

    high: float | None
    """Upper end of the 95 % interval; None for a score that cannot be resampled."""

    signature: str
    """What makes the score comparable; empty where its library gives none."""

    higher: bool = True
    """Whether more is better."""

    decimals: int = 1
    """Digits behind the point that are worth showing."""


@dataclass(frozen=True)
class Change:
    """What the paired test says about one score, before against after."""

    difference: float
    """Score after minus score before."""

    low: float
    """Lower end of the 95 % interval of the difference."""

    high: float
    """Upper end of the 95 % interval of the difference."""

    p: float
    """Probability of a difference this large by the choice of rows alone."""

    @property
    def significant(self) -> bool:
        """True where p is below 0.05 and the interval does not contain zero."""
        return self.p < 0.05 and not self.low <= 0 <= self.high


@dataclass(frozen=True)
class Example:
    """One row of a test set, before and after."""

    row: int
    """Number of the row in the test set, from 1."""

    source: str
    """The input."""

    references: list[str]
    """The expected answers."""

    before: str
    """What the baseline answered."""

    after: str
    """What the trained model answers."""

    change: float
    """What was gained in the row's score, which `TestSet.row_score` names: after minus before, or before minus after
    where less is better."""


@dataclass(frozen=True)
class TestSet:
    """Scores on one test set; the first score is the one that decides."""

    __test__ = False  # not a test, whatever pytest thinks of the name

    name: str
    """Its name in the recipe."""

    rows: int
    """Rows that were scored."""

    after: list[Score]
    """Scores of the trained model, the deciding one first."""

    before: list[Score] = field(default_factory=list)
    """Scores of the baseline, the deciding one first; empty where there is none."""

    baseline: str = ""
    """`UNTOUCHED`, or the trivial answer such as `a copy of the source`; empty where there is none."""

    changes: dict[str, Change] = field(default_factory=dict)
    """Paired test by name of the score."""

    leakage: int = 0
    """Rows whose input stands in the training rows too."""

    row_score: str = "chrF2"
    """The score by which rows are ranked."""

    best_wins: list[Example] = field(default_factory=list)
    """Rows that gained most, the best first."""

    worst_regressions: list[Example] = field(default_factory=list)
    """Rows that lost most, the worst first."""

    sections: list[Annotated[Section, Discriminator("kind")]] = field(default_factory=list)
    """What else is worth seeing of the trained model: tables, pictures, lists of rows."""

    @property
    def row_decimals(self) -> int:
        """Digits behind the point of a row's score that are worth showing."""
        return next((score.decimals for score in self.after if score.name == self.row_score), 1)

    def score_before(self, name: str) -> Score | None:
        """The baseline's score of a name; None where it has none."""
        return next((score for score in self.before if score.name == name), None)

"""What a run did, and how good its result is: the Report."""

from dataclasses import asdict, dataclass, field
from typing import Any

from hftoolkit.reports.scores import TestSet

FORMAT = 1
"""Version of report.json."""


@dataclass(frozen=True)
class DataSource:
    """Where rows came from, and what became of them."""

    name: str
    """File, folder or data set, as the recipe names it."""

    use: str
    """`train`, `validation`, or `test: NAME`."""

    read: int
    """Rows found."""

    kept: int
    """Rows used."""

    fingerprint: str
    """SHA-256 of the content, in hex."""

    dropped: dict[str, int] = field(default_factory=dict)
    """Rows not used, by reason."""

    weight: float = 1.0
    """Rows seen in one epoch, as a share of those kept."""

    notes: list[str] = field(default_factory=list)
    """What a reader should know: an encoding, a byte order mark, plural forms left aside."""


@dataclass(frozen=True)
class ModelFacts:
    """The model that was trained."""

    name: str
    """Hub id, folder, or `scratch`."""

    architecture: str
    """Class in transformers."""

    parameters: int
    """All weights."""

    trainable: int
    """Weights that were trained."""

    number_format: str
    """Of weights and products: `float32`, or `float32 weights, bf16 products`."""

    device: str
    """What it was trained on, in words."""

    revision: str = ""
    """Commit of a hub id; empty for a folder."""

    adapter: str = ""
    """`LoRA, rank 16, alpha 32`; empty where there is none."""

    adapter_targets: list[str] = field(default_factory=list)
    """Names of the layers with an adapter."""

    @property
    def how(self) -> str:
        """Which weights were trained, in words: the adapter's, all, or some."""
        some = "all weights" if self.trainable == self.parameters else "the others stayed as they were"
        return self.adapter or f"{some}, no adapter"


@dataclass(frozen=True)
class Point:
    """A place on the training curve."""

    step: int
    """Optimizer steps taken, from 1; 0 is the model before training."""

    loss: float | None
    """Training loss, averaged over the steps since the point before; None where only validation ran."""

    learning_rate: float | None = None
    """Learning rate of the step."""

    validation: dict[str, float] = field(default_factory=dict)
    """Scores on validation, `loss` among them; empty where none was taken."""


@dataclass(frozen=True)
class Report:
    """Everything a reader needs to trust a run, or to repeat it."""

    task: str
    """What was learned."""

    tests: list[TestSet]
    """Test sets in the recipe's order."""

    recipe: dict[str, Any]
    """The recipe with every default, as plain values."""

    data: list[DataSource]
    """Every source, training first."""

    model: ModelFacts
    """The model that was trained."""

    steps: int
    """Optimizer steps taken."""

    epochs: float
    """Passes over the training rows."""

    best_step: int
    """The step with the best score on validation, whose weights were kept if none were averaged."""

    tokens: int
    """Tokens trained on, padding left out."""

    seconds: dict[str, float]
    """Time by phase, in their order: `load`, `encode`, `train`, `validate`, `test`, ..."""

    peak_memory_bytes: int
    """Largest memory of the process, or of the accelerator where there is one."""

    curve: list[Point]
    """Training curve."""

    decoding: str
    """How answers were generated, before and after alike: engine, number format, beams."""

    versions: dict[str, str]
    """Python and libraries by name."""

    started: str
    """When the run began, ISO 8601 with its time zone."""

    averaged_steps: list[int] = field(default_factory=list)
    """The steps whose weights were averaged, where the recipe asks for it."""

    notes: list[str] = field(default_factory=list)
    """What was done that the recipe does not say: fallbacks, new heads, skipped checks."""

    format: int = FORMAT
    """Version of this layout."""

    @property
    def decoding_title(self) -> str:
        """What `decoding` tells: an engine alone where no text is written."""
        return "decoding" if "|beams:" in self.decoding else "engine"

    @property
    def goal(self) -> str:
        """Name of the score that decides."""
        return self.tests[0].after[0].name

    @property
    def weights_kept(self) -> str:
        """Which weights became the model, in words."""
        if not self.averaged_steps:
            return f"step {self.best_step:,}"
        first, last = self.averaged_steps[0], self.averaged_steps[-1]
        return f"average of {len(self.averaged_steps)} steps, {first:,} to {last:,}"

    @property
    def tokens_per_second(self) -> float:
        """Training speed; zero where the time of training is not known."""
        seconds = self.seconds.get("train", 0.0)
        return self.tokens / seconds if seconds else 0.0

    def verdict(self) -> str:
        """What was gained, what was lost, how sure that is: one sentence."""
        from hftoolkit.reports.verdict import verdict

        return verdict(self.tests)

    def cautions(self) -> list[str]:
        """What may make the scores look better than they are."""
        from hftoolkit.reports.verdict import cautions

        return cautions(self.tests)

    def to_json(self) -> str:
        """The report as JSON that `from_json` reads back without loss."""
        from hftoolkit.reports.stored import dump

        return dump(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Report":
        """A report from its JSON.

        Raises:
            DataError: If the text is not the JSON of a report.
        """
        from hftoolkit.reports.stored import load

        return load(text, cls)

    def _repr_html_(self) -> str:
        from hftoolkit.reports.html import render_fragment

        return render_fragment(self)

    def _repr_markdown_(self) -> str:
        from hftoolkit.reports.markdown import render

        return render(self)

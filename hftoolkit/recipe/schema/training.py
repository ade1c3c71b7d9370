"""What a recipe may say of training: which weights, how they are changed, how models are measured."""

from typing import Literal

from pydantic import Field, field_validator

from hftoolkit.recipe.schema.part import Part, Share, Text


class Adapter(Part):
    """Low-rank matrices beside the weights, trained in their place (Hu et al. 2021, arXiv:2106.09685)."""

    kind: Literal["lora", "dora", "rslora"] = "lora"
    """`dora` trains the length of every row of weights apart from its direction, and is slower (Liu et al. 2024,
    arXiv:2402.09353); `rslora` scales for high ranks (Kalajdzievski 2023, arXiv:2312.03732)."""

    rank: int = Field(default=16, ge=1, le=65_536)
    """Rank of the matrices."""

    alpha: int | None = Field(default=None, ge=1, le=1_000_000)
    """Scale of the adapter, divided by the rank; left out: twice the rank. For `rslora` it is divided by the square
    root of the rank; left out: 8 at every rank, which at rank 16 is the same scale of 2."""

    dropout: Share = 0.0
    """Share of the adapter's inputs set to zero in training."""

    targets: list[str] | None = None
    """Names of the linear layers that get one; left out: all of them, but not those of the head."""


class Averaging(Part):
    """Weights averaged over several evaluations (Vaswani et al. 2017, section 6.1), in the place of the best ones."""

    checkpoints: int = Field(default=10, ge=2)
    """Evaluations whose weights are averaged."""

    choose: Literal["last", "best"] = "last"
    """Which ones: the last, or those with the best scores on validation."""


class Training(Part):
    """How the weights are changed."""

    epochs: int = Field(default=3, ge=1, le=1_000_000)
    """Passes over the training rows."""

    max_steps: int | None = Field(default=None, ge=1)
    """Optimizer steps after which training ends, whatever the epochs."""

    batch_tokens: int = Field(default=4096, ge=16, le=1_000_000_000)
    """Tokens of one optimizer step, all roles together, padding included, over all micro-batches and processes."""

    micro_batches: int = Field(default=1, ge=1)
    """Pieces a step is computed in: the same step in less memory."""

    max_tokens: int | None = Field(default=None, ge=4)
    """Longest side of a training row, in tokens; longer rows are cut where the task can, else dropped, and counted.
    Left out: 256, or in language modelling and question answering `options.window`."""

    freeze: list[Text] = Field(default=[])
    """Modules or parameters of the model that stay as they are, by name, whole or from a dot to the end, with `*`, `?`
    and `[0-3]`: `model.encoder.layers.[0-3]`, `bert.embeddings`. A tied weight is frozen under all its names."""

    learning_rate: float = Field(default=2e-4, gt=0.0)
    """Highest learning rate, after warm-up."""

    layer_decay: float | None = Field(default=None, gt=0.0, le=1.0)
    """What the learning rate of each layer is of that of the layer above it: the head learns at the whole rate, the
    embeddings at the least (Howard and Ruder 2018, arXiv:1801.06146; ELECTRA uses 0.8). Left out: all at the same."""

    schedule: Literal["linear", "cosine", "constant", "inverse_sqrt"] = "linear"
    """What the learning rate does after warm-up: falls to zero in a line or a half cosine, stays, or falls with
    one over the square root of the step."""

    warmup_ratio: Share = 0.06
    """Share of all steps in which the learning rate rises from zero."""

    warmup_steps: int | None = Field(default=None, ge=0, le=1_000_000_000)
    """The same as a number of steps, whatever their total; left out: see `warmup_ratio`."""

    weight_decay: float = Field(default=0.01, ge=0.0)
    """Decoupled weight decay of matrices; biases and norms have none."""

    betas: tuple[Share, Share] = (0.9, 0.98)
    """Decay of Adam's running mean and variance."""

    max_grad_norm: float = Field(default=1.0, gt=0.0)
    """Longest gradient; longer ones are scaled down."""

    dropout: Share | None = None
    """Share of activations set to zero in training; left out: as the checkpoint says. Distilled models may need 0."""

    label_smoothing: Share = 0.0
    """Share of the probability spread over all labels."""

    precision: Literal["auto", "float32", "bf16"] = "auto"
    """Number format of the products; weights are float32. `auto`: bf16 where the hardware gains from it."""

    patience: int | None = Field(default=None, ge=1)
    """Evaluations without a better score after which training ends; left out: never."""

    averaging: Averaging | None = None
    """Left out: the weights with the best score on validation are kept."""

    seed: int = Field(default=1, ge=0, le=2**32 - 1)
    """Everything random follows from it."""

    @field_validator("freeze")
    @classmethod
    def _something_is_trained(cls, freeze: list[str]) -> list[str]:
        for pattern in freeze:
            if not pattern.strip("*"):
                raise ValueError(f"'{pattern}' freezes all weights: nothing is left to train")
        return freeze


class Evaluation(Part):
    """How models are measured, and how often."""

    beams: int = Field(default=4, ge=1, le=500)
    """Beams of the decoding on test sets, before and after training alike; 1 is greedy."""

    length_penalty: float = Field(default=1.0, ge=-10.0, le=10.0)
    """Exponent of the length by which a beam's score is divided."""

    every: int | None = Field(default=None, ge=1)
    """Steps between evaluations on validation, each with a checkpoint; left out: once an epoch."""

    validation_rows: int = Field(default=500, ge=1)
    """Validation rows decoded (greedily) at each evaluation; the loss is taken over all of them."""

    batch_tokens: int | None = Field(default=None, ge=16, le=1_000_000_000)
    """Source tokens decoded at once, padding included; left out: what suits the device."""

    metrics: list[Text] = Field(default=[])
    """More scores, by their name at `evaluate`; those from the hub are code: see `trust_metric_code`."""

    trust_metric_code: list[Text] = Field(default=[])
    """Metrics from the hub whose Python code may run here."""

"""What a recipe may say: every key, its unit, its default."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

Item = TypeVar("Item")
Share = Annotated[float, Field(ge=0.0, lt=1.0)]
Text = Annotated[str, Field(min_length=1)]
Role = str
Several = Annotated[list[Item], Field(min_length=1)]
Column = str | Annotated[int, Field(ge=1)]
Format = Literal["jsonl", "csv", "tsv", "parquet", "po", "tmx", "xliff", "conll", "conllu", "squad", "text", "hub"]
Tracker = Literal["aim", "clearml", "comet_ml", "dvclive", "mlflow", "swanlab", "tensorboard", "trackio", "wandb"]


class Part(BaseModel):
    """A mapping in a recipe: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


class Scratch(Part):
    """A new encoder-decoder Transformer in the Marian form, with a SentencePiece tokenizer trained on the rows: for
    translation."""

    vocabulary: int = Field(default=8000, ge=300, le=65000)
    """Pieces of the tokenizer, both languages together, 256 byte pieces included."""

    encoder_layers: int = Field(default=6, ge=1)
    """Layers of the encoder."""

    decoder_layers: int = Field(default=2, ge=1)
    """Layers of the decoder; a deep encoder with a shallow decoder is as good and translates faster."""

    width: int = Field(default=256, ge=8)
    """Hidden size H, a multiple of `heads`."""

    feed_forward: int = Field(default=1024, ge=8)
    """Inner size of the feed-forward blocks."""

    heads: int = Field(default=4, ge=1)
    """Attention heads of every layer."""

    dropout: Share = 0.1
    """Share of activations set to zero in training."""

    positions: int = Field(default=512, ge=16)
    """Tokens of the longest source or target."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "Scratch":
        _check_heads(self.width, self.heads)
        return self


class ScratchEncoder(Part):
    """A new encoder in the BERT form, with a WordPiece tokenizer trained on the rows: for all tasks but translation."""

    vocabulary: int = Field(default=8000, ge=100, le=65000)
    """Pieces of the tokenizer."""

    layers: int = Field(default=4, ge=1)
    """Layers of the encoder."""

    width: int = Field(default=256, ge=8)
    """Hidden size H, a multiple of `heads`."""

    feed_forward: int = Field(default=1024, ge=8)
    """Inner size of the feed-forward blocks."""

    heads: int = Field(default=4, ge=1)
    """Attention heads of every layer."""

    dropout: Share = 0.1
    """Share of activations set to zero in training."""

    positions: int = Field(default=256, ge=16)
    """Tokens of the longest text; those behind `training.max_tokens` would never be trained."""

    lowercase: bool = False
    """Read capital letters as small ones: a smaller vocabulary does, but names look like words."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "ScratchEncoder":
        _check_heads(self.width, self.heads)
        return self


def _check_heads(width: int, heads: int) -> None:
    if width % heads:
        raise ValueError(f"width {width} is not a multiple of heads {heads}")


class _OfEncoder(dict[str, Any]):
    """A mapping that is meant to be a `ScratchEncoder`: what it holds need not tell."""


def _kind_of_scratch(value: Any) -> str:
    return "<encoder>" if isinstance(value, ScratchEncoder | _OfEncoder) else "<translator>"


AnyScratch = Annotated[
    Annotated[Scratch, Tag("<translator>")] | Annotated[ScratchEncoder, Tag("<encoder>")],
    Discriminator(_kind_of_scratch),
]


class Model(Part):
    """The checkpoint to start from: by `name`, or a new one from `scratch`."""

    name: Text | None = None
    """Hub id, folder, or `package:NAME/FOLDER` for a model inside an installed Python package."""

    revision: str = "main"
    """Branch, tag or commit of a hub id."""

    scratch: AnyScratch | None = None
    """Sizes of a new model; `{}` takes the defaults. A translator has other ones than an encoder."""

    @model_validator(mode="after")
    def _one_of_two(self) -> "Model":
        if (self.name is None) == (self.scratch is None):
            raise ValueError("expected either 'name' or 'scratch'")
        return self


class Source(Part):
    """Where rows come from."""

    source: Text | None = None
    """File, folder, pattern such as `memories/**/*.tmx`, or hub data set `ORG/NAME`; files may end in `.gz`."""

    files: Annotated[Mapping[Role, Text | Several[Text]], Field(min_length=1)] | None = None
    """Plain-text files of equal length, one per role, one row a line; a list gives several references. In the file of a
    task with a single role, blank lines part rows if there are any. With patterns
    (`{source: "train/*.en", target: "train/*.zh"}`), those belong together whose wildcards stand for the same."""

    columns: Mapping[Role, Column | Several[Column]] = {}
    """Role to column: its name, or its number from 1 in a file without a header. Left out: named like the role. In TMX
    and XLIFF a column is a language, such as `zh-CN`; left out: as `data.languages` says."""

    format: Format | None = None
    """Left out: told by the names of the files, and of `.json` by its beginning; of a folder, only the files of this
    format are read."""

    encoding: str | None = None
    """Left out: UTF-8, or what a byte order mark says."""

    weight: float = Field(default=1.0, gt=0.0, le=1000.0)
    """Rows of this source seen in one epoch, as a share of all it has: 0.3 takes another 30 % in every epoch."""

    subset: str | None = None
    """Configuration of a hub data set."""

    split: str | None = None
    """Split of a hub data set."""

    revision: str = "main"
    """Branch, tag or commit of a hub data set."""

    @model_validator(mode="after")
    def _one_of_two(self) -> "Source":
        if (self.source is None) == (self.files is None):
            raise ValueError("expected either 'source' or 'files'")
        return self


class Split(Part):
    """Rows held out of the training sources."""

    split: float = Field(gt=0.0, lt=1.0)
    """Share of the training rows."""

    by: Literal["row", "file"] = "row"
    """`row`: rows are chosen by a hash of their input, so that equal inputs stay on one side. `file`: whole files are
    held out, so that no text is taken apart."""


def _kind_of_rows(value: Any) -> str:
    """Say which of the two a mapping is meant to be, so that its problems are told for that one only."""
    if isinstance(value, BaseModel):
        return "<split>" if isinstance(value, Split) else "<source>"
    if not isinstance(value, Mapping) or "source" in value or "files" in value:
        return "<source>"
    share = "by" in value or ("split" in value and (len(value) == 1 or isinstance(value["split"], float)))
    return "<split>" if share else "<source>"


Rows = Annotated[
    Annotated[Split, Tag("<split>")] | Annotated[Source, Tag("<source>")],
    Discriminator(_kind_of_rows),
]


def _list_of_one(value: Any) -> Any:
    return [value] if isinstance(value, Mapping | Source) else value


def _named_test(value: Any) -> Any:
    """Name a single test set `test`: it has `files`, or a value that is no mapping, as a named one always is."""
    if isinstance(value, Split | Source):
        return {"test": value}
    if isinstance(value, Mapping) and value:
        single = "files" in value or any(not isinstance(part, Mapping | BaseModel) for part in value.values())
        return {"test": value} if single else value
    return value


def _file_names(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuse names under which no predictions can be written."""
    for name in value:
        if not re.fullmatch(r"\w[\w .+-]*", name):
            allowed = "letters, digits, '-', '_', '.', '+' and blanks"
            raise ValueError(f"'{name}' becomes part of file names: expected {allowed}")
    return value


class Languages(Part):
    """The languages of a translation, as BCP 47 tags: `en`, `pt-BR`, `zh-Hans`."""

    source: Text
    """Language translated from."""

    target: Text
    """Language translated to; `zh-Hans` and `zh-Hant` choose the script where the model knows both."""


class Filters(Part):
    """Training rows that are dropped, and counted. Test sets only lose rows with an empty side."""

    max_characters: int | None = Field(default=None, ge=1)
    """Longest side, in characters; left out: 2,000 in a translation, any elsewhere."""

    equal: bool = True
    """Drop rows whose two sides are equal."""

    duplicates: bool = True
    """Drop rows that stood before."""

    markup_only: bool = True
    """Drop rows of a translation whose source has no letter outside tags, code, addresses and placeholders."""


class Data(Part):
    """Rows to learn from and rows to be measured on."""

    train: Annotated[list[Source], BeforeValidator(_list_of_one, Source | list[Source])] = Field(min_length=1)
    """Sources of training rows; a single one needs no list."""

    validation: Rows
    """Rows that choose the best checkpoint."""

    test: Annotated[
        Mapping[str, Rows],
        BeforeValidator(_named_test, Rows | Mapping[str, Rows]),
        AfterValidator(_file_names),
    ] = Field(min_length=1)
    """Test sets by name; a single one needs no name."""

    languages: Languages | None = None
    """The languages of a translation."""

    filters: Filters = Filters()
    """Training rows that are dropped, and counted."""


class Adapter(Part):
    """Low-rank matrices beside the weights, trained in their place (Hu et al. 2021, arXiv:2106.09685)."""

    kind: Literal["lora", "dora", "rslora"] = "lora"
    """`dora` trains the length of every row of weights apart from its direction, and is slower (Liu et al. 2024,
    arXiv:2402.09353); `rslora` scales for high ranks (Kalajdzievski 2023, arXiv:2312.03732)."""

    rank: int = Field(default=16, ge=1)
    """Rank of the matrices."""

    alpha: int | None = Field(default=None, ge=1)
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

    batch_tokens: int = Field(default=4096, ge=16)
    """Tokens of one optimizer step, all roles together, padding included, over all micro-batches and processes."""

    micro_batches: int = Field(default=1, ge=1)
    """Pieces a step is computed in: the same step in less memory."""

    max_tokens: int = Field(default=256, ge=4)
    """Longest side of a training row, in tokens; longer rows are cut where the task can, else dropped, and counted."""

    freeze: list[Text] = []
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

    warmup_steps: int | None = Field(default=None, ge=0)
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

    beams: int = Field(default=4, ge=1)
    """Beams of the decoding on test sets, before and after training alike; 1 is greedy."""

    length_penalty: float = 1.0
    """Exponent of the length by which a beam's score is divided."""

    every: int | None = Field(default=None, ge=1)
    """Steps between evaluations on validation, each with a checkpoint; left out: once an epoch."""

    validation_rows: int = Field(default=500, ge=1)
    """Validation rows decoded (greedily) at each evaluation; the loss is taken over all of them."""

    batch_tokens: int | None = Field(default=None, ge=16)
    """Source tokens decoded at once, padding included; left out: what suits the device."""

    metrics: list[str] = []
    """More scores, by their name at `evaluate`; those from the hub are code: see `trust_metric_code`."""

    trust_metric_code: list[str] = []
    """Metrics from the hub whose Python code may run here."""


class Recipe(Part):
    """One fine-tuning run."""

    task: str
    """What is learned: the name of a file in `hftoolkit/tasks`."""

    model: Model
    """The checkpoint to start from."""

    data: Data
    """Rows to learn from and rows to be measured on."""

    adapter: Adapter | None = None
    """Left out: all weights are trained."""

    training: Training = Training()
    """How the weights are changed."""

    evaluation: Evaluation = Evaluation()
    """How models are measured, and how often."""

    options: Mapping[str, Any] = {}
    """The task's own settings."""

    tracking: list[Tracker] = []
    """Trackers of Accelerate that are told every step and every score. Their files go to `tracking` in the output
    folder, those of `mlflow` and `trackio` where their own settings say; services get all of it over the network."""

    output: Text
    """Folder of the run, from the current folder."""

    @field_validator("model", mode="before")
    @classmethod
    def _new_as_the_task_needs_it(cls, model: Any, info: ValidationInfo) -> Any:
        scratch = model.get("scratch") if isinstance(model, Mapping) else None
        if isinstance(scratch, Mapping) and info.data.get("task") != "translation":
            return {**model, "scratch": _OfEncoder(scratch)}
        return model

    @field_validator("training")
    @classmethod
    def _frozen_once(cls, training: Training, info: ValidationInfo) -> Training:
        if training.freeze and info.data.get("adapter") is not None:
            raise ValueError(
                "'freeze' beside an adapter, which freezes all weights of the model: leave one of them out"
            )
        return training


def schema_json() -> dict[str, Any]:
    """Describe a recipe as JSON Schema, for editors that check while one types.

    `options` is left open: what may stand there depends on the task.
    """
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Recipe.model_json_schema()}

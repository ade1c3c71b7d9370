"""What a recipe may say: every key, its unit, its default."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from hftoolkit.recipe.schema.data import Data, Filters, Format, Languages, Source, Split
from hftoolkit.recipe.schema.model import Model, OfDecoder, OfEncoder, Scratch, ScratchDecoder, ScratchEncoder
from hftoolkit.recipe.schema.part import Part, Text
from hftoolkit.recipe.schema.training import Adapter, Averaging, Evaluation, Training

__all__ = [
    "Adapter",
    "Averaging",
    "Data",
    "Evaluation",
    "Filters",
    "Format",
    "Languages",
    "Model",
    "Part",
    "Recipe",
    "Scratch",
    "ScratchDecoder",
    "ScratchEncoder",
    "Source",
    "Split",
    "Text",
    "Tracker",
    "Training",
    "schema_json",
]

Tracker = Literal["aim", "clearml", "comet_ml", "dvclive", "mlflow", "swanlab", "tensorboard", "trackio", "wandb"]


class Recipe(Part):
    """One fine-tuning run."""

    task: str
    """What is learned: the name of a file in `hftoolkit/tasks`."""

    model: Model
    """The checkpoint to start from."""

    data: Data
    """Rows to learn from and rows to be measured on."""

    adapter: Adapter | None = Field(default=None, validate_default=True)
    """Left out: all weights are trained."""

    training: Training = Training()
    """How the weights are changed."""

    evaluation: Evaluation = Evaluation()
    """How models are measured, and how often."""

    options: Mapping[str, Any] = {}
    """The task's own settings."""

    tracking: list[Tracker] = Field(default=[])
    """Trackers of Accelerate that are told every step and every score. Their files go to `tracking` in the output
    folder, those of `mlflow` and `trackio` where their own settings say; services get all of it over the network."""

    endpoint: Text | None = Field(default=None, pattern=r"^https?://[^/]")
    """Address of a mirror of the hub, such as `https://hf-mirror.com`; `--endpoint` and HF_ENDPOINT go before it."""

    output: Text
    """Folder of the run, from the current folder."""

    @field_validator("model", mode="before")
    @classmethod
    def _new_as_the_task_needs_it(cls, model: Any, info: ValidationInfo) -> Any:
        scratch, task = model.get("scratch") if isinstance(model, Mapping) else None, info.data.get("task")
        if not isinstance(scratch, Mapping) or (task == "translation" and "layers" not in scratch):
            return model
        kind = OfDecoder if task in ("language_modelling", "translation") else OfEncoder
        return {**model, "scratch": kind(scratch)}

    @field_validator("adapter")
    @classmethod
    def _beside_4bit(cls, adapter: Adapter | None, info: ValidationInfo) -> Adapter | None:
        model = info.data.get("model")
        if adapter is None and model is not None and model.quantize is not None:
            raise ValueError("'model.quantize' needs an 'adapter': weights in 4 bits cannot be trained themselves")
        return adapter

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

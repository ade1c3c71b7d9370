"""What a recipe may say of a classification, and what a checkpoint's configuration says of one."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from hftoolkit.recipe.schema import Part, Text

Kind = Literal["single_label", "multi_label", "regression"]

Weights = Annotated[
    Annotated[Literal["none", "balanced"], Tag("<word>")]
    | Annotated[Mapping[str, Annotated[float, Field(gt=0.0)]], Tag("<weights>")],
    # Problems are told for that one of the two alone which is meant.
    Discriminator(lambda value: "<weights>" if isinstance(value, Mapping) else "<word>"),
]


class Options(Part):
    """What is predicted, and of what."""

    problem: Kind = "single_label"
    """One label of several, any number of labels, or a number."""

    pair: bool = False
    """Whether a row has a second text, in the role `pair`."""

    label_names: Annotated[list[Text], Field(default_factory=list)]
    """Names of the labels, where the rows have their numbers: from 0."""

    separator: Text = ","
    """What stands between several labels in one text."""

    class_weights: Weights = "none"
    """What a row counts in the loss, by its label: `balanced`, so that all labels count the same, or numbers; those
    left out are 1. With weights macro F1 decides which checkpoint is best, not accuracy."""

    @model_validator(mode="after")
    def _fits(self) -> "Options":
        if self.problem == "regression" and (self.class_weights != "none" or self.label_names):
            raise ValueError("a number has no labels: leave 'class_weights' and 'label_names' out")
        if len(set(self.label_names)) < len(self.label_names):
            raise ValueError("a name stands twice in 'label_names'")
        return self


def kind_of(config: Any) -> Kind | None:
    """What a checkpoint's configuration says that its outputs are; None where it does not say."""
    match config.problem_type:
        case "single_label_classification":
            return "single_label"
        case "multi_label_classification":
            return "multi_label"
        case "regression":
            return "regression"
        case _:
            return "regression" if config.num_labels == 1 else None

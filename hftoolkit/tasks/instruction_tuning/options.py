"""What a recipe may say of instruction tuning."""

from typing import Literal

from pydantic import Field

from hftoolkit.recipe.schema import Part

TooLong = Literal["drop", "left", "right", "error"]


class Options(Part):
    """The options of instruction tuning."""

    window: int = Field(default=1024, ge=16)
    """Tokens of a conversation that are read at once, if the model can read so many."""

    too_long: TooLong = "drop"
    """What becomes of conversations with more tokens in training: they are left out, cut at their begin (`left`) or at
    their end (`right`), or the run ends. They are counted. What has no answer left is left out."""

    template: Literal["chatml"] | None = None
    """Left out: the checkpoint's own chat template. `chatml` gives one to a checkpoint that has none, and is saved with
    it."""

    packing: bool = True
    """Lay several short conversations behind each other in training, where the model keeps them apart: hardly anything
    that is computed is padding then. It changes nothing in what is learned."""

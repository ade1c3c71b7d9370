"""What a recipe may say of language modelling."""

from pydantic import Field

from hftoolkit.recipe.schema import Part


class Options(Part):
    """The options of language modelling."""

    window: int = Field(default=1024, ge=16)
    """Tokens that are read at once, if the model can read so many; longer rows are read in several windows."""

    packing: bool = True
    """Lay several short rows behind each other in training, where the model keeps them apart: hardly anything that is
    computed is padding then. It changes nothing in what is learned."""

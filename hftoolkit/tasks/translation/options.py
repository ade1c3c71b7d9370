"""What a recipe may say of translating."""

from typing import Final, Literal

from hftoolkit.recipe.schema import Part

PromptKind = Literal["chat", "separator"]

PROMPT: Final = "prompt"
"""Under this name a checkpoint of ours says which of them it was tuned with."""


class Options(Part):
    """Options of `translation`."""

    prompt: PromptKind | None = None
    """How a decoder alone, such as GPT, is asked; a model with an encoder is not. `separator`: the source and a new
    token behind it, such as `<to-zh>`, which is learned; `chat`: an instruction in the checkpoint's own chat template.
    Left out: `chat` where the checkpoint has a template, else `separator`."""

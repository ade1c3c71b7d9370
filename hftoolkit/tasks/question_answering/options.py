"""What a recipe may say of question answering."""

from typing import Literal

from pydantic import Field

from hftoolkit.recipe.schema import Part


class Options(Part):
    """How contexts are read, and answers compared."""

    no_answer: bool = False
    """Whether there are questions that their context does not answer: to give none is learned, and given from a
    threshold on that validation rows choose."""

    window: int = Field(default=384, ge=16)
    """Tokens that are read at once: the question, a part of the context, special tokens."""

    stride: int = Field(default=128, ge=0)
    """Tokens of the context that a window shares with the next one, as transformers uses the word; at most three
    quarters of its part."""

    max_question_tokens: int = Field(default=64, ge=1)
    """Longest question; of longer ones the beginning is read, and it is said."""

    max_answer_tokens: int = Field(default=30, ge=1)
    """Longest answer that is given."""

    language: Literal["english", "chinese"] = "english"
    """How answers are compared with the right ones: by words without articles and punctuation, as SQuAD's scripts do,
    or by characters, as CMRC's does."""

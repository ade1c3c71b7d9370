"""What a recipe may say of pretraining."""

from pydantic import Field, field_validator, model_validator

from hftoolkit.errors import UsageError
from hftoolkit.languages import normalise
from hftoolkit.recipe.schema import Part


class Options(Part):
    """The options of pretraining."""

    mask: float = Field(default=0.15, gt=0.0, lt=1.0)
    """Share of the tokens to be guessed, drawn anew in every epoch: of ten the mask token stands in the place of eight,
    another token in that of one, and one stays (Devlin et al. 2019, arXiv:1810.04805)."""

    whole_words: bool = False
    """Draw whole words instead of tokens: no piece of a word gives the others away. Chinese characters are words."""

    packed: bool = False
    """Fill windows with several rows, one behind the other, parted by the separator: for short rows that follow each
    other, such as the lines of a poem. Left out: a window holds a row, or a part of one."""

    next_sentence: bool = False
    """Learn besides whether a second sentence follows the first, as BERT did; half of them are from other rows."""

    language: str = "en"
    """Language of the rows, for `next_sentence`: which dots end sentences depends on it."""

    @field_validator("language")
    @classmethod
    def _is_a_language(cls, tag: str) -> str:
        try:
            return normalise(tag).language
        except UsageError as error:
            raise ValueError(str(error).splitlines()[0]) from error

    @model_validator(mode="after")
    def _pairs_fill_windows(self) -> "Options":
        if self.packed and self.next_sentence:
            raise ValueError(
                "'packed' beside 'next_sentence', which fills windows with sentences of one row: leave one of them out"
            )
        return self

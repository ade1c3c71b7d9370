"""What a recipe may say of tagging."""

from pydantic import model_validator

from hftoolkit.metrics.tags import Scheme
from hftoolkit.recipe.schema import Part


class Options(Part):
    """What rows have, and how it is read."""

    scheme: Scheme | None = None
    """How the tags say where entities are; `none`: they do not, as parts of speech. Left out: told by the data."""

    mend: bool = False
    """Read tags that break their scheme, too, and count them: an entity goes on until the tag after it starts another
    one or none, as seqeval reads them. Left out: they are an error."""

    spans: bool = False
    """Whether a row has a `text` and `spans` of it, in the place of `words` and their `tags`."""

    characters: bool = False
    """Whether every character has a tag, as usual for Chinese: a text is taken apart into characters, and words are put
    together without blanks."""

    @model_validator(mode="after")
    def _fits(self) -> "Options":
        if self.spans and (self.scheme is not None or self.mend):
            raise ValueError("spans have no tags: leave 'scheme' and 'mend' out")
        return self

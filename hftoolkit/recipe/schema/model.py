"""What a recipe may say of its model: a checkpoint, or the sizes of a new one."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from hftoolkit.recipe.schema.part import Part, Share, Text


class Scratch(Part):
    """A new encoder-decoder Transformer in the Marian form, with a SentencePiece tokenizer trained on the rows: for
    translation."""

    vocabulary: int = Field(default=8000, ge=300, le=65000)
    """Pieces of the tokenizer, both languages together, 256 byte pieces included."""

    encoder_layers: int = Field(default=6, ge=1, le=1000)
    """Layers of the encoder."""

    decoder_layers: int = Field(default=2, ge=1, le=1000)
    """Layers of the decoder; a deep encoder with a shallow decoder is as good and translates faster."""

    width: int = Field(default=256, ge=8, le=32_768)
    """Hidden size H, a multiple of `heads`."""

    feed_forward: int = Field(default=1024, ge=8, le=131_072)
    """Inner size of the feed-forward blocks."""

    heads: int = Field(default=4, ge=1)
    """Attention heads of every layer."""

    dropout: Share = 0.1
    """Share of activations set to zero in training."""

    positions: int = Field(default=512, ge=16, le=8192)
    """Tokens of the longest source or target."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "Scratch":
        _check_heads(self.width, self.heads)
        return self


class ScratchEncoder(Part):
    """A new encoder in the BERT form, with a WordPiece tokenizer trained on the rows: for tasks that read texts."""

    vocabulary: int = Field(default=8000, ge=100, le=65000)
    """Pieces of the tokenizer."""

    layers: int = Field(default=4, ge=1, le=1000)
    """Layers of the encoder."""

    width: int = Field(default=256, ge=8, le=32_768)
    """Hidden size H, a multiple of `heads`."""

    feed_forward: int = Field(default=1024, ge=8, le=131_072)
    """Inner size of the feed-forward blocks."""

    heads: int = Field(default=4, ge=1)
    """Attention heads of every layer."""

    dropout: Share = 0.1
    """Share of activations set to zero in training."""

    positions: int = Field(default=256, ge=16, le=131_072)
    """Tokens of the longest text; those behind `training.max_tokens` would never be trained."""

    lowercase: bool = False
    """Read capital letters as small ones: a smaller vocabulary does, but names look like words."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "ScratchEncoder":
        _check_heads(self.width, self.heads)
        return self


class ScratchDecoder(Part):
    """A new decoder in the GPT-2 form, with a byte-level BPE tokenizer trained on the rows: for language modelling, and
    for translation where `layers` are named."""

    vocabulary: int = Field(default=8000, ge=257, le=65000)
    """Pieces of the tokenizer: 256 bytes, the token between texts, and what often stands together."""

    tokenizer: Text | None = None
    """A checkpoint whose tokenizer is taken instead of a new one: to compare models on the same tokens."""

    layers: int = Field(default=6, ge=1, le=1000)
    """Layers of the decoder."""

    width: int = Field(default=256, ge=8, le=32_768)
    """Hidden size H, a multiple of `heads`."""

    feed_forward: int = Field(default=1024, ge=8, le=131_072)
    """Inner size of the feed-forward blocks."""

    heads: int = Field(default=4, ge=1)
    """Attention heads of every layer."""

    dropout: Share = 0.1
    """Share of activations set to zero in training."""

    positions: int = Field(default=512, ge=16, le=131_072)
    """Tokens that are read at once."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "ScratchDecoder":
        _check_heads(self.width, self.heads)
        if self.tokenizer is not None and "vocabulary" in self.model_fields_set:
            raise ValueError("'vocabulary' beside 'tokenizer', which has one already: leave one of them out")
        return self


def _check_heads(width: int, heads: int) -> None:
    if width % heads:
        raise ValueError(f"width {width} is not a multiple of heads {heads}")


class OfEncoder(dict[str, Any]):
    """A mapping that is meant to be a `ScratchEncoder`: what it holds need not tell."""


class OfDecoder(dict[str, Any]):
    """The same of a `ScratchDecoder`."""


def _kind_of_scratch(value: Any) -> str:
    if isinstance(value, ScratchDecoder | OfDecoder):
        return "<decoder>"
    return "<encoder>" if isinstance(value, ScratchEncoder | OfEncoder) else "<translator>"


AnyScratch = Annotated[
    Annotated[Scratch, Tag("<translator>")]
    | Annotated[ScratchEncoder, Tag("<encoder>")]
    | Annotated[ScratchDecoder, Tag("<decoder>")],
    Discriminator(_kind_of_scratch),
]


class Model(Part):
    """The checkpoint to start from: by `name`, or a new one from `scratch`."""

    name: Text | None = None
    """Hub id, folder, or `package:NAME/FOLDER` for a model inside an installed Python package."""

    revision: str = "main"
    """Branch, tag or commit of a hub id."""

    scratch: AnyScratch | None = None
    """Sizes of a new model; `{}` takes the defaults. A translator has other ones than an encoder or a decoder."""

    quantize: Literal["4bit"] | None = None
    """`4bit` keeps the weights of linear layers in 4 bits while an adapter on them is trained (QLoRA, Dettmers et al.
    2023, arXiv:2305.14314). Needs a GPU, and `pip install 'hftoolkit[qlora]'`."""

    @model_validator(mode="after")
    def _one_of_two(self) -> "Model":
        if (self.name is None) == (self.scratch is None):
            raise ValueError("expected either 'name' or 'scratch'")
        if self.scratch is not None and self.quantize is not None:
            raise ValueError("'quantize' beside 'scratch': a new model has nothing to keep yet; leave one of them out")
        return self

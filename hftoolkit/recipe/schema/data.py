"""What a recipe may say of its rows: where they come from, how they are shared out, which are dropped."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, Discriminator, Field, Tag, model_validator

from hftoolkit.recipe.schema.part import Part, Text

Item = TypeVar("Item")
Role = str
Several = Annotated[list[Item], Field(min_length=1)]
Column = str | Annotated[int, Field(ge=1)]
Format = Literal[
    "jsonl", "json", "csv", "tsv", "parquet", "po", "tmx", "xliff", "conll", "conllu", "squad", "text", "hub"
]

_LONGEST_NAME = 60
"""Characters of a test set's name: three bytes each in most scripts, and file systems allow 255 for a file's name."""


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
            raise ValueError(f"{name!r:.60} becomes part of file names: expected {allowed}")
        if len(name) > _LONGEST_NAME:
            most = f"at most {_LONGEST_NAME} characters"
            raise ValueError(f"'{name[:20]}...' becomes part of file names: expected {most}")
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

from pathlib import Path

import pytest
from source_reading import rows_of

from hftoolkit.data.sources import files_of
from hftoolkit.data.sources.formats import format_of, name_of
from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Source


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a/b.tsv", "tsv"),
        ("b.TAB", "tsv"),
        ("b.csv", "csv"),
        ("b.jsonl", "jsonl"),
        ("b.ndjson", "jsonl"),
        ("b.json", "jsonl"),
        ("b.parquet", "parquet"),
        ("b.po", "po"),
        ("b.pot", "po"),
        ("train.conll", "conll"),
        ("train.char.bmes.gz", "conll"),
        ("b.bio", "conll"),
        ("en_ewt-ud-train.conllu", "conllu"),
        ("Helsinki-NLP/opus-100", "hub"),
        ("package:tiny/data", "hub"),
    ],
)
def test_the_name_tells_the_format(name: str, form: str) -> None:
    assert format_of(Source(source=name)) == form


def test_the_recipe_goes_before_the_name(tmp_path: Path) -> None:
    assert format_of(Source(source="a.txt", format="tsv")) == "tsv"


def test_a_folder_with_po_files_is_po_and_another_is_a_data_set(tmp_path: Path) -> None:
    (tmp_path / "README.md").touch()
    assert format_of(Source(source=str(tmp_path))) == "hub"
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "a.po").touch()
    assert format_of(Source(source=str(tmp_path))) == "po"
    assert files_of(Source(source=str(tmp_path))) == [tmp_path / "de" / "a.po"]


def test_a_folder_of_columns_or_questions_is_read_where_no_name_tells_a_split(tmp_path: Path) -> None:
    (tmp_path / "README.md").touch()
    for form, names in {"conll": ["a.conll", "b.bio"], "conllu": ["ewt.conllu"], "squad": ["q.json"]}.items():
        folder = tmp_path / form
        folder.mkdir()
        for name in names:
            (folder / name).write_text('{"data": []}', encoding="utf-8")
        assert format_of(Source(source=str(folder))) == form
        assert files_of(Source(source=str(folder))) == [folder / name for name in names]
        (folder / f"dev{(folder / names[0]).suffix}").write_text('{"data": []}', encoding="utf-8")
        with pytest.raises(DataError) as caught:
            format_of(Source(source=str(folder)))
        assert str(caught.value) == (
            f"{folder}: the names of its {len(names) + 1} files tell splits: a test set is not to be trained on\n"
            f"  name one of them:  source: {folder.as_posix()}/dev{(folder / names[0]).suffix}"
        )
        assert format_of(Source.model_validate({"source": str(folder), "format": form})) == form


def test_a_folder_without_a_document_of_questions(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        rows_of(("question",), source=str(tmp_path), format="squad")
    assert str(caught.value) == (
        f"{tmp_path}: no file in this folder has a name that ends in .json, and is a document with questions\n"
        f"  give files of other names by a pattern:  source: {tmp_path}/**/*.ENDING"
    )


def test_a_name_that_tells_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cmn.txt"
    path.touch()
    with pytest.raises(DataError) as caught:
        format_of(Source(source=str(path)))
    assert str(caught.value) == (
        f"{path}: its name does not tell its format\n"
        "  say it:  format: tsv  (or csv, jsonl, json, parquet, po, tmx, xliff, conll, conllu, squad)\n"
        "  parallel text is named under 'files'"
    )


def test_parallel_text_is_named_under_files() -> None:
    with pytest.raises(DataError) as caught:
        format_of(Source(source="train.en", format="text"))
    assert str(caught.value) == (
        "train.en: parallel text is named under 'files', everything else under 'source'\n"
        "  for parallel text:  files: {source: train.en, target: train.zh}"
    )


def test_an_unknown_role_is_told_with_the_near_one() -> None:
    with pytest.raises(DataError) as caught:
        rows_of(source="a.tsv", columns={"sorce": "en"})
    assert str(caught.value) == (
        "a.tsv: columns: no role 'sorce'; did you mean 'source'?\n  the roles are: source, target"
    )


def test_columns_have_no_meaning_beside_files() -> None:
    with pytest.raises(DataError, match=r"a \+ b: 'columns' has no meaning beside 'files'\n  leave out 'columns'"):
        rows_of(files={"source": "a", "target": "b"}, columns={"source": 1})


def test_a_source_of_files_is_named_after_all_of_them() -> None:
    source = Source(files={"source": "a", "target": ["b", "c"]})
    assert name_of(source) == "a + b + c"
    assert files_of(source) == [Path("a"), Path("b"), Path("c")]

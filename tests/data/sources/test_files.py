import errno
import gzip
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from source_reading import read_all, rows_of, write

from hftoolkit.data.census import Census
from hftoolkit.data.sources import files_of, read
from hftoolkit.data.sources.files import expand
from hftoolkit.data.sources.formats import format_of
from hftoolkit.errors import DataError, OutputError
from hftoolkit.recipe.schema import Source

HEAD = "source\ttarget\n"


def touched(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def names(name: Path | str) -> list[str]:
    return [file.name for file in expand(str(name))]


def message(**keys: Any) -> str:
    with pytest.raises(DataError) as caught:
        rows_of(**keys)
    return str(caught.value)


def test_a_folder_is_all_files_below_in_order_without_hidden_ones(tmp_path: Path) -> None:
    touched(tmp_path, "b.tsv", "a/z.tsv", "a/c.tsv", "a.tsv", "B.tsv", ".git/x.tsv", ".hidden.tsv")
    assert names(tmp_path) == ["B.tsv", "a/c.tsv", "a/z.tsv", "a.tsv", "b.tsv"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.tsv", [("a.tsv", ("a",)), ("b.tsv", ("b",))]),
        ("?.tsv", [("a.tsv", ("a",)), ("b.tsv", ("b",))]),
        ("[!a].tsv", [("b.tsv", ("b",))]),
        ("[a-c].tsv", [("a.tsv", ("a",)), ("b.tsv", ("b",))]),
        ("*/*.tsv", [("x/a.tsv", ("x", "a"))]),
        ("**/a.tsv", [("a.tsv", ("",)), ("x/a.tsv", ("x/",)), ("x/y/a.tsv", ("x/y/",))]),
        ("x/**/*.tsv", [("a.tsv", ("", "a")), ("y/a.tsv", ("y/", "a"))]),
        ("x/**", [("a.tsv", ("a.tsv",)), ("y/a.tsv", ("y/a.tsv",))]),
    ],
)
def test_patterns(tmp_path: Path, pattern: str, expected: list[tuple[str, tuple[str, ...]]]) -> None:
    touched(tmp_path, "a.tsv", "b.tsv", "c.csv", "x/a.tsv", "x/y/a.tsv", ".d.tsv")
    assert [(file.name, file.matched) for file in expand(str(tmp_path / pattern))] == expected


def test_a_pattern_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touched(tmp_path, "m/a.tsv")
    monkeypatch.chdir(tmp_path / "m")
    assert [file.path for file in expand("*.tsv")] == [Path("a.tsv")]
    assert [file.path for file in expand("../m/*.tsv")] == [Path("../m/a.tsv")]


def test_what_exists_is_no_pattern(tmp_path: Path) -> None:
    touched(tmp_path, "a[1].tsv", "a1.tsv", "[x]/b.tsv", "[x]/c.tsv", "x/d.tsv")
    assert names(tmp_path / "a[1].tsv") == ["a[1].tsv"]
    assert names(tmp_path / "[x]") == ["b.tsv", "c.tsv"]
    assert names(tmp_path / "[x]" / "*.tsv") == ["b.tsv", "c.tsv"]
    assert names(tmp_path / "[b-x]" / "*.tsv") == ["x/d.tsv"]


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='/\\:<>"|?*'), min_size=1, max_size=9))
def test_any_file_is_found_by_its_name_and_by_a_pattern(name: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"a{name}.tsv"
        path.touch()
        assert [file.path for file in expand(str(path))] == [path]
        assert [file.matched for file in expand(str(Path(folder) / "a*.tsv"))] == [(name,)]


def test_a_pattern_that_matches_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.tmx").mkdir()
    assert message(source=str(tmp_path / "*.tmx")) == (
        f"{tmp_path / '*.tmx'}: no file matches this pattern\n"
        "  '*' is a part of a name, '**' are folders at any depth; paths count from the recipe file's folder"
    )


def test_an_empty_folder(tmp_path: Path) -> None:
    assert message(source=str(tmp_path)) == f"{tmp_path}: no file in this folder\n  name a folder with files, or a file"


def test_a_folder_of_several_formats_needs_to_be_told_which(tmp_path: Path) -> None:
    touched(tmp_path, "a.tmx", "de/b.tmx.gz", "c.csv", "notes.md")
    assert message(source=str(tmp_path)) == (
        f"{tmp_path}: files of 2 formats: tmx (2), csv (1)\n  say which to read:  format: tmx"
    )
    assert files_of(Source(source=str(tmp_path), format="tmx")) == [tmp_path / "a.tmx", tmp_path / "de" / "b.tmx.gz"]


def test_a_pattern_matches_files_of_one_format(tmp_path: Path) -> None:
    touched(tmp_path, "a.tmx", "b.csv")
    assert message(source=str(tmp_path / "*")) == (
        f"{tmp_path / '*'}: matches files of 2 formats: tmx (1), csv (1)\n"
        "  let the pattern match files of one format, and give the others a source of their own"
    )
    touched(tmp_path, "notes.md")
    assert message(source=str(tmp_path / "*")).startswith(f"{tmp_path / 'notes.md'}: its name does not tell its format")
    assert files_of(Source(source=str(tmp_path / "*.md"), format="tsv")) == [tmp_path / "notes.md"]


@pytest.mark.parametrize(
    ("files", "form"),
    [
        (["a.tsv", "b.tsv", "notes.txt"], "tsv"),
        (["a.tsv.gz"], "tsv"),
        (["x/a.xlf", "x/b.XLIFF"], "xliff"),
        (["x/a.po", "a.pot", "train/README.md"], "po"),
        (["a.tsv", "README.md"], "hub"),
        (["data/train-00000.parquet"], "hub"),
        (["test.csv", "a.csv"], "hub"),
        (["a.json"], "hub"),
        (["contest.csv"], "csv"),
        (["a.txt"], "hub"),
    ],
)
def test_the_format_of_a_folder(tmp_path: Path, files: list[str], form: str) -> None:
    touched(tmp_path, *files)
    assert format_of(Source(source=str(tmp_path))) == form


def test_a_split_or_subset_makes_a_folder_a_data_set(tmp_path: Path) -> None:
    touched(tmp_path, "a.tsv")
    assert format_of(Source(source=str(tmp_path), split="train")) == "hub"
    assert format_of(Source(source=str(tmp_path), subset="de")) == "hub"


def test_templates_in_a_folder_are_left_out(tmp_path: Path) -> None:
    touched(tmp_path, "a.po", "a.pot", "b.pot.gz")
    assert files_of(Source(source=str(tmp_path))) == [tmp_path / "a.po"]
    assert files_of(Source(source=str(tmp_path / "a.pot"))) == [tmp_path / "a.pot"]


def test_a_folder_of_tables_is_one_source_and_every_file_has_its_name(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    write(tmp_path / "x" / "b.tsv", HEAD + "1\t2\n")
    write(tmp_path / "a.tsv", HEAD + "3\t4\n5\t6\n")
    read_files = read(Source(source=str(tmp_path)), ("source", "target"), Census("test"))
    assert [(name, [row["source"] for row, _, _ in raws]) for name, raws in read_files] == [
        ("a.tsv", ["3", "5"]),
        ("x/b.tsv", ["1"]),
    ]
    assert read_all(source=str(tmp_path))[2][-1] == f"{tmp_path / 'x' / 'b.tsv'}: line 2"


def test_what_is_said_of_many_files_is_said_once(tmp_path: Path) -> None:
    for name in "abc":
        write(tmp_path / f"{name}.csv", "source;target\n1;2\n")
    assert read_all(source=str(tmp_path))[1].notes == [
        f"{tmp_path / 'a.csv'} is separated by semicolons (and 2 more files)"
    ]


PO = 'msgid "a"\nmsgstr "中"\n'
TMX = '<tmx><body><tu><tuv lang="en"><seg>a</seg></tuv><tuv lang="zh"><seg>中</seg></tuv></tu></body></tmx>'
XLIFF = """<xliff><file source-language="en" target-language="zh"><body><trans-unit id="1"><source>a</source>
<target>中</target></trans-unit></body></file></xliff>"""
COMPRESSED = {
    "a.tsv.gz": HEAD + "a\t中\n",
    "a.csv.gz": "source,target\na,中\n",
    "a.jsonl.gz": '{"source": "a", "target": "中"}\n',
    "a.po.gz": PO,
    "a.TMX.GZ": TMX,
    "a.xlf.gz": XLIFF,
}


@pytest.mark.parametrize("name", COMPRESSED)
def test_compressed_files(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(COMPRESSED[name].encode()))
    columns = {"source": "en", "target": "zh"} if "tmx" in name.lower() or "xlf" in name else {}
    assert rows_of(source=str(tmp_path / name), columns=columns) == [{"source": "a", "target": "中"}]


def test_compressed_parquet(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"source": ["a"], "target": ["b"]}), tmp_path / "a.parquet")
    (tmp_path / "b.parquet.gz").write_bytes(gzip.compress((tmp_path / "a.parquet").read_bytes()))
    assert rows_of(source=str(tmp_path / "b.parquet.gz")) == [{"source": "a", "target": "b"}]


def test_no_room_to_unpack_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.parquet.gz"
    path.write_bytes(gzip.compress(b"PAR1"))
    cache = Path(os.environ["HFTOOLKIT_CACHE"])

    def full(dir: Path) -> BinaryIO:
        assert dir == cache
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("hftoolkit.data.sources.files.TemporaryFile", full)
    with pytest.raises(OutputError) as caught:
        rows_of(source=str(path))
    assert str(caught.value) == (
        f"{cache}: what {path} unpacks to cannot be kept here: No space left on device\n"
        "  make room, or name another folder:  HFTOOLKIT_CACHE=FOLDER hftoolkit ..."
    )


def test_compressed_parallel_text_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "t.en.gz").write_bytes(gzip.compress("\ufeffa\nb\n".encode("utf-16-le")))
    write(tmp_path / "t.zh", "1\n2\n")
    rows, census, _ = read_all(files={"source": str(tmp_path / "t.en.gz"), "target": str(tmp_path / "t.zh")})
    assert rows == [{"source": "a", "target": "1"}, {"source": "b", "target": "2"}]
    assert census.notes == [f"{tmp_path / 't.en.gz'} begins with a byte order mark: read as UTF-16-LE"]


def test_a_wrong_byte_in_a_compressed_file(tmp_path: Path) -> None:
    (tmp_path / "a.tsv.gz").write_bytes(gzip.compress(HEAD.encode() + b"a\t\xff\n"))
    assert "byte 17 (line 2): 0xFF is not UTF-8 here" in message(source=str(tmp_path / "a.tsv.gz"))


def damaged(path: Path, kind: str) -> None:
    whole = gzip.compress(os.urandom(9000).hex().encode())
    path.write_bytes(
        {"cut off": whole[:-2000], "changed": whole[:2000] + b"!" * 99 + whole[2099:], "other": b"PK"}[kind]
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, "other") for name in COMPRESSED]
    # XML is not read as far as the damage where it does not begin as XML.
    + [(name, kind) for name in ("a.tsv.gz", "a.csv.gz", "a.jsonl.gz", "a.po.gz") for kind in ("cut off", "changed")]
    + [("a.parquet.gz", kind) for kind in ("cut off", "changed", "other")],
)
def test_a_compressed_file_that_is_damaged(tmp_path: Path, name: str, kind: str) -> None:
    damaged(tmp_path / name, kind)
    columns = {"source": "en", "target": "zh"} if "tmx" in name.lower() or "xlf" in name else {}
    found = message(source=str(tmp_path / name), columns=columns)
    assert found.startswith(f"{tmp_path / name}: not gzip, damaged or cut off: ")
    assert found.endswith("\n  copy or compress the file again")


@pytest.mark.parametrize("name", ["a.TMX.GZ", "a.xlf.gz"])
def test_compressed_xml_that_is_cut_off(tmp_path: Path, name: str) -> None:
    text = COMPRESSED[name].replace("a<", os.urandom(50000).hex() + "<")
    (tmp_path / name).write_bytes(gzip.compress(text.encode())[:-9000])
    found = message(source=str(tmp_path / name), columns={"source": "en", "target": "zh"})
    assert found.startswith(f"{tmp_path / name}: not gzip, damaged or cut off: ")


def test_a_missing_compressed_file(tmp_path: Path) -> None:
    touched(tmp_path, "a.tsv")
    assert message(source=str(tmp_path / "a.tsv.gz")) == (
        f"{tmp_path / 'a.tsv.gz'}: no such file\n  did you mean '{tmp_path / 'a.tsv'}'?"
    )


def test_parallel_text_by_patterns(tmp_path: Path) -> None:
    for name, text in {"b.en": "b1\nb2\n", "a.en": "a1\n", "a.zh": "A1\n", "b.zh.gz": "", "b.zh": "B1\nB2\n"}.items():
        write(tmp_path / name, text)
    files = {"source": str(tmp_path / "*.en"), "target": str(tmp_path / "*.zh")}
    rows, _, places = read_all(files=files)
    assert [(row["source"], row["target"]) for row in rows] == [("a1", "A1"), ("b1", "B1"), ("b2", "B2")]
    assert places[1] == f"{tmp_path / 'b.en'}: line 1"
    assert files_of(Source(files=files)) == [tmp_path / name for name in ("a.en", "b.en", "a.zh", "b.zh")]


def test_parallel_text_in_folders_and_several_references(tmp_path: Path) -> None:
    for name in ("en/a.txt", "en/x/b.txt", "r1/a.txt", "r1/x/b.txt", "r2/a.txt", "r2/x/b.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path / name, f"{name}\n")
    references = [str(tmp_path / "r1"), str(tmp_path / "r2" / "**" / "*.txt")]
    assert message(files={"source": str(tmp_path / "en"), "target": references}).startswith(
        f"{tmp_path / 'en' / 'a.txt'}: no partner among the 2 files of {references[1]}\n"
    )
    references[1] = str(tmp_path / "r2")
    assert rows_of(files={"source": str(tmp_path / "en"), "target": references}) == [
        {"source": "en/a.txt", "target": ["r1/a.txt", "r2/a.txt"]},
        {"source": "en/x/b.txt", "target": ["r1/x/b.txt", "r2/x/b.txt"]},
    ]


@pytest.mark.parametrize(("lone", "other"), [("c.en", "*.zh"), ("c.zh", "*.en")])
def test_a_parallel_file_without_partner(tmp_path: Path, lone: str, other: str) -> None:
    touched(tmp_path, "a.en", "a.zh", "b.en", "b.zh", lone)
    files = {"source": str(tmp_path / "*.en"), "target": str(tmp_path / "*.zh")}
    assert message(files=files) == (
        f"{tmp_path / lone}: no partner among the 2 files of {tmp_path / other}\n"
        "  parallel files have names that differ only outside the wildcards:  "
        "files: {source: train/*.en, target: train/*.zh}"
    )


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_no_file(device: str) -> None:
    assert message(source=device, format="tsv") == (
        f"{device}: a device or a pipe, expected a file\n  write what it gives into a file"
    )


def test_a_name_that_is_too_long_for_the_system(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 300)
    assert message(source=f"{path}.tsv").startswith(f"{path}.tsv: cannot be read: ")
    assert message(source=str(path)).startswith(f"{path}: no such file\n")
    assert message(source=f"{path}/*.tsv").startswith(f"{path}/*.tsv: no file matches this pattern\n")


def test_a_folder_that_may_not_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", refuse)
    assert message(source=str(tmp_path / "a.tsv")).startswith(f"{tmp_path / 'a.tsv'}: no such file\n")

"""A recipe written and read back is the same recipe."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recipe.samples import MINIMAL, TASKS, TEXT

from hftoolkit.recipe.reader import read_recipe, recipe_from
from hftoolkit.recipe.writer import write_recipe


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs/mine").mkdir(parents=True)


def test_a_recipe_reads_back_with_its_defaults_and_paths(tmp_path: Path) -> None:
    Path("recipes").mkdir()
    Path("recipes/mine.yaml").write_text(TEXT, encoding="utf-8")
    recipe = read_recipe("recipes/mine.yaml", tasks=TASKS)
    write_recipe(recipe, "runs/mine/recipe.yaml")
    written = Path("runs/mine/recipe.yaml").read_text(encoding="utf-8")
    assert "  - source: ../../recipes/mine.tsv\n" in written
    assert "  learning_rate: 2e-05\n" in written
    assert read_recipe("runs/mine/recipe.yaml", tasks=TASKS) == recipe
    assert read_recipe(tmp_path / "runs" / "mine" / "recipe.yaml", tasks=TASKS) == recipe
    assert [file.name for file in Path("runs/mine").iterdir()] == ["recipe.yaml"]


def test_a_recipe_that_cannot_be_written_leaves_nothing_behind() -> None:
    Path("runs/mine/recipe.yaml").mkdir()
    with pytest.raises(OSError, match=r"recipe\.yaml"):
        write_recipe(recipe_from(MINIMAL, tasks=TASKS), "runs/mine/recipe.yaml")
    assert [file.name for file in Path("runs/mine").iterdir()] == ["recipe.yaml"]


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
word = st.one_of(
    text,
    st.sampled_from(
        [
            "2e-5",
            "no",
            "null",
            "~",
            "1_000",
            "0o17",
            ".5",
            "+1",
            "2024-01-01",
            "=",
            "<<",
            " x ",
            "a: b",
            "# a",
            "\x85",
            "a\u2028b",
            "\ufeff",
            "1:30",
            "a\n",
        ]
    ),
)
test_name = st.one_of(
    st.sampled_from(["no", "null", "1_000", "0o17", "2024-01-01", "测试"]), st.from_regex(r"\A\w[\w .+-]{0,8}\Z")
)
path = st.one_of(
    st.sampled_from(
        ["a.tsv", "../b.csv", "c/d", "./e/f", "g/h", "runs/mine/x/y", "runs/mine/z.po", "m/*", "org/name", "字/文.txt"]
    ),
    st.text("ab./", min_size=1, max_size=8),
    word,
)
share = st.floats(0.001, 0.999)
source = st.one_of(
    st.fixed_dictionaries(
        {"source": path},
        optional={
            "columns": st.dictionaries(
                word, st.one_of(word, st.integers(1, 9), st.lists(word, min_size=1, max_size=2)), max_size=2
            ),
            "weight": st.floats(min_value=0, max_value=1000, exclude_min=True),
            "encoding": word,
            "format": st.sampled_from(["tsv", "hub", "text", None]),
            "subset": word,
        },
    ),
    st.fixed_dictionaries(
        {
            "files": st.dictionaries(
                word, st.one_of(path, st.lists(path, min_size=1, max_size=2)), min_size=1, max_size=2
            )
        }
    ),
)
rows = st.one_of(source, st.fixed_dictionaries({"split": share}, optional={"by": st.sampled_from(["row", "file"])}))
recipes = st.fixed_dictionaries(
    {
        "task": st.just("translation"),
        "model": st.one_of(
            st.fixed_dictionaries({"name": path, "revision": word}),
            st.fixed_dictionaries({"scratch": st.just({"width": 64, "heads": 2})}),
        ),
        "data": st.fixed_dictionaries(
            {
                "train": st.lists(source, min_size=1, max_size=3),
                "validation": rows,
                "test": st.dictionaries(test_name.filter(lambda name: name != "files"), rows, min_size=1, max_size=2),
            },
            optional={"languages": st.fixed_dictionaries({"source": word, "target": word})},
        ),
        "output": word,
    },
    optional={
        "adapter": st.one_of(
            st.none(), st.fixed_dictionaries({}, optional={"rank": st.integers(1, 65_536), "targets": st.lists(word)})
        ),
        "training": st.fixed_dictionaries(
            {},
            optional={"learning_rate": st.floats(1e-300, 1e300), "betas": st.tuples(share, share), "seed": st.just(0)},
        ),
        "options": st.fixed_dictionaries({}, optional={"prefix": word, "bounds": st.tuples(share, st.floats(-9, 9))}),
    },
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(mapping=recipes, folder=st.sampled_from([".", "recipes", "runs/mine", "..", "c"]))
def test_any_valid_recipe_reads_back_equal(mapping: dict[str, Any], folder: str) -> None:
    recipe = recipe_from(mapping, tasks=TASKS, folder=Path(folder))
    write_recipe(recipe, "runs/mine/recipe.yaml")
    assert read_recipe("runs/mine/recipe.yaml", tasks=TASKS) == recipe

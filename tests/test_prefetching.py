"""Models, adapters and data from a mirror; and the same from a bundle where there is no network at all."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from conftest import PAIRS
from hub_server import COMMIT, Fault, Hub, allowed, serve
from running import SWAPPED, Outcome, hftoolkit, write_pairs
from safetensors.torch import load_file

from hftoolkit.hub.locking import NAME, parse_lock
from hftoolkit.reports.files import read_report

pytestmark = pytest.mark.usefixtures("no_pictures", "one_format")

RECIPE = """
task: translation
model: {{name: {model}}}
data:
  train: {{source: acme/pairs, split: train, columns: {{source: en, target: zh}}}}
  validation: {{split: 0.2}}
  test: {{source: acme/pairs, split: test, columns: {{source: en, target: zh}}}}
  languages: {{source: en, target: zh-Hans}}
adapter: {{rank: 4}}
training: {{epochs: 1, max_steps: 3, learning_rate: 1e-2, batch_tokens: 128, precision: float32}}
evaluation: {{beams: 2}}
output: {output}
"""


@pytest.fixture
def hub(marian: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A mirror with a model in each weight format, and a data set."""
    old, rows = tmp_path / "old", tmp_path / "rows" / "data"
    shutil.copytree(marian, old)
    (old / "model.safetensors").unlink()
    torch.save(load_file(marian / "model.safetensors"), old / "pytorch_model.bin")
    rows.mkdir(parents=True)
    for name, pairs in (("train.csv", SWAPPED), ("test.csv", PAIRS)):
        text = "".join(f'"{one}","{other}"\n' for one, other in [("en", "zh"), *pairs])
        (rows / name).write_text(text, encoding="utf-8")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with (
        allowed(tmp_path / "home", monkeypatch),
        serve(models={"acme/new": marian, "acme/old": old}, datasets={"acme/pairs": rows.parent}) as running,
    ):
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        yield running


@contextmanager
def no_sockets() -> Iterator[None]:
    """Every connection is refused, and trying is a failure."""
    asked: list[object] = []

    def refuse(self: socket.socket, address: object) -> None:
        asked.append(address)
        raise OSError(101, "Network is unreachable")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket.socket, "connect_ex", refuse)
        yield
    assert asked == []


def write(name: str, model: str) -> str:
    Path(name).write_text(RECIPE.format(model=model, output=f"runs/{Path(name).stem}"), encoding="utf-8")
    return name


def run(*words: str | Path) -> Outcome:
    outcome = hftoolkit(*words)
    assert outcome.code == 0, outcome.err
    return outcome


@pytest.mark.parametrize("model", ["acme/new", "acme/old"])
def test_a_model_and_rows_from_a_mirror(hub: Hub, model: str) -> None:
    run("finetune", write("recipe.yaml", model))
    report = read_report(Path("runs/recipe"))
    assert report.model.revision == COMMIT
    assert run("translate", "--model", model, "Good night!").out == "晚安！\n"
    assert run("translate", "--model", "runs/recipe", "Good night!").out.strip()
    with no_sockets():  # what is in the cache needs no network, and nobody is asked
        assert run("translate", "--model", model, "Good night!").out == "晚安！\n"


def test_an_adapter_from_a_mirror_brings_its_model(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("finetune", write("recipe.yaml", "acme/old"))
    expected = run("translate", "--model", "runs/recipe", "Where is the library?").out
    hub.models["acme/adapter"] = Path("runs/recipe").absolute()
    monkeypatch.setenv("HF_HOME", str(tmp_path / "another"))
    assert run("translate", "--model", "acme/adapter", "Where is the library?").out == expected
    fetched = [request for request in hub.requests if request.startswith("GET /large/acme/")]
    assert fetched[-2:] == [
        "GET /large/acme/adapter/adapter_model.safetensors",
        "GET /large/acme/old/pytorch_model.bin",
    ]


def test_the_endpoint_of_a_recipe_and_of_a_command(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT")
    recipe = Path(write("recipe.yaml", "acme/new"))
    recipe.write_text(f"endpoint: {hub.address}\n{recipe.read_text(encoding='utf-8')}", encoding="utf-8")
    run("check", recipe)
    run("finetune", recipe)
    run("evaluate", recipe)
    asked = len(hub.requests)
    run("translate", "--endpoint", hub.address, "--model", "acme/old", "Good night!")
    assert len(hub.requests) > asked


def test_refresh_and_offline_are_not_asked_for_together() -> None:
    outcome = hftoolkit("translate", "--refresh", "--offline", "x")
    assert (outcome.code, outcome.err.splitlines()[0]) == (
        2,
        "error: --refresh asks the hub, --offline forbids it: give one of them",
    )


def test_what_was_fetched_runs_without_a_network(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From an empty home, with sockets refused, the scores and translations are those from the mirror."""
    run("finetune", write("recipe.yaml", "acme/old"))
    before = read_report(Path("runs/recipe"))
    expected = run("translate", "--model", "runs/recipe", "Where is the library?").out
    said = run("prefetch", "recipe.yaml", "--bundle", "all.tar").out
    assert said.splitlines()[0].startswith(f"data set  acme/pairs  main = {COMMIT[:12]}  2 files, ")
    assert said.splitlines()[1].startswith(f"model     acme/old  main = {COMMIT[:12]}  8 files, ")

    (tmp_path / "there").mkdir()
    for name in ("recipe.yaml", "all.tar"):
        shutil.copy(name, tmp_path / "there")
    monkeypatch.chdir(tmp_path / "there")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "empty"))
    monkeypatch.setenv("HFTOOLKIT_CACHE", str(tmp_path / "empty" / "ours"))
    monkeypatch.delenv("HF_ENDPOINT")
    with no_sockets():
        assert run("unbundle", "all.tar").out == said
        run("finetune", "recipe.yaml", "--offline")
        assert run("translate", "--offline", "--model", "runs/recipe", "Where is the library?").out == expected
    after = read_report(Path("runs/recipe"))
    assert [test.after for test in after.tests] == [test.after for test in before.tests]
    assert [one.fingerprint for one in after.data] == [one.fingerprint for one in before.data]


def test_a_lock_holds_for_every_command(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("prefetch", write("recipe.yaml", "acme/new"))
    entries = parse_lock(Path(NAME).read_bytes(), NAME)
    assert {one.name for one in entries} == {"acme/new", "acme/pairs"}
    other = tmp_path / "other"
    shutil.copytree(hub.models["acme/new"], other)
    (other / "hftoolkit.json").write_text("{}", encoding="utf-8")
    hub.models["acme/new"] = other
    monkeypatch.setenv("HF_HOME", str(tmp_path / "another"))
    outcome = hftoolkit("translate", "--model", "acme/new", "Good night!")
    assert outcome.code == 1
    assert "hftoolkit.json is not what hftoolkit.lock says: it was changed, or is damaged" in outcome.err
    run("prefetch", "recipe.yaml")  # writes it anew
    assert parse_lock(Path(NAME).read_bytes(), NAME) != entries


def test_recipes_that_need_nothing_from_the_hub(hub: Hub, marian: Path) -> None:
    write_pairs(Path("mine.tsv"), PAIRS)
    text = RECIPE.format(model=marian, output="runs/x").replace("acme/pairs, split: train", "mine.tsv")
    Path("recipe.yaml").write_text(text.replace("acme/pairs, split: test", "mine.tsv"), encoding="utf-8")
    assert run("prefetch", "recipe.yaml").out == "nothing: these recipes need nothing from the hub\n"
    assert hub.requests == []


def test_what_cannot_be_fetched_leaves_the_lock_as_it_was(hub: Hub) -> None:
    write("recipe.yaml", "acme/new")
    run("prefetch", "recipe.yaml")
    before = Path(NAME).read_bytes()
    hub.faults.append(Fault("/api/datasets/acme/other", status=404))
    recipe = (
        Path("recipe.yaml").read_text(encoding="utf-8").replace("acme/pairs, split: test", "acme/other, split: test")
    )
    Path("recipe.yaml").write_text(recipe, encoding="utf-8")
    outcome = hftoolkit("prefetch", "recipe.yaml", "--bundle", "all.tar")
    assert outcome.code == 1
    assert outcome.err.startswith("error: no data set 'acme/other' at ")
    assert Path(NAME).read_bytes() == before
    assert not Path("all.tar").exists()


@pytest.mark.parametrize(
    ("bundle", "said"),
    [
        (".", ".: a folder\n  name a file for the bundle, such as all.tar"),
        ("recipe.yaml", "recipe.yaml: is what the bundle is made of\n  name another file, such as all.tar"),
        (f"./{NAME}", f"{NAME}: is what the bundle is made of\n  name another file, such as all.tar"),
    ],
)
def test_a_bundle_replaces_nothing_that_it_is_made_of(hub: Hub, bundle: str, said: str) -> None:
    write("recipe.yaml", "acme/new")
    outcome = hftoolkit("prefetch", "recipe.yaml", "--bundle", bundle)
    assert (outcome.code, outcome.err) == (1, f"error: {said}\n")
    assert hub.requests == []


def test_what_falls_out_of_the_lock_is_said(hub: Hub) -> None:
    write("recipe.yaml", "acme/new")
    assert run("prefetch", "recipe.yaml").err.count("no longer names") == 0
    said = run("prefetch", "quickstart").err
    assert "hftoolkit.lock no longer names what these recipes do not need: acme/pairs, acme/new\n" in said

"""A run goes to the hub with a card, and comes back from there; what must not leave this machine stays."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import PAIRS
from hub_server import Fault, allowed, serve
from hub_uploads import TOKEN, Store, serve_store
from huggingface_hub import ModelCard
from running import hftoolkit, tree, write_pairs

from hftoolkit import translate
from hftoolkit.errors import HftoolkitError, HubError, ModelError, OutputError, UsageError
from hftoolkit.finetuning import finetune
from hftoolkit.publishing import push
from hftoolkit.recipe.reader import read_recipe
from hftoolkit.tasks import task_options

SOURCES = [source for source, _ in PAIRS[:4]]

TOKENIZER = ["source.spm", "target.spm", "tokenizer_config.json", "vocab.json"]
SENT = ["README.md", "hftoolkit.json", "recipe.yaml", *TOKENIZER]


@pytest.fixture(scope="module")
def runs(marian: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tuned model and an adapter on a folder of this machine, and an adapter on a model of the hub."""
    folder = tmp_path_factory.mktemp("runs")
    rows = {"source": str(write_pairs(folder / "mine.tsv", PAIRS[:4])), "columns": {"source": "en", "target": "zh"}}
    languages = {"source": "en", "target": "zh-Hans"}
    common: dict[str, Any] = {
        "task": "translation",
        "data": {"train": rows, "validation": rows, "test": {"mine": rows}, "languages": languages},
        "training": {"max_steps": 2, "batch_tokens": 256, "precision": "float32"},
        "evaluation": {"beams": 1},
    }
    adapter = {"adapter": {"kind": "lora", "rank": 2}}
    recipes = {
        "whole": {"model": {"name": str(marian)}},
        "local": {"model": {"name": str(marian)}, **adapter},
        "adapted": {"model": {"name": "acme/base"}, **adapter},
    }
    with pytest.MonkeyPatch.context() as patch, serve(models={"acme/base": marian}) as hub:
        patch.setattr("hftoolkit.reports.figures.training_curve", lambda *_, **__: b"")
        patch.setenv("HFTOOLKIT_CACHE", str(folder / "cache"))
        patch.setenv("HF_ENDPOINT", hub.address)
        with allowed(folder / "home", patch):
            for name, recipe in recipes.items():
                finetune({**common, **recipe, "output": str(folder / name)})
    return {name: folder / name for name in recipes}


@pytest.fixture
def store(marian: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A hub with a base model, and somebody who may write to it."""
    with allowed(tmp_path / "home", monkeypatch), serve_store(tmp_path / "hub", {"acme/base": marian}) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.hub.address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield running


def refusal(run: Path, name: str = "acme/letters", kind: type[Exception] = HubError, **settings: Any) -> str:
    with pytest.raises(kind) as caught:
        push(run, name, **settings)
    assert TOKEN not in str(caught.value)
    return str(caught.value)


# There and back


@pytest.mark.parametrize("name", ["whole", "adapted"])
def test_a_run_comes_back_from_the_hub_as_it_was(runs: dict[str, Path], store: Store, name: str) -> None:
    found = push(runs[name], "acme/letters")
    assert str(found) == f"{store.hub.address}/acme/letters"
    weights = (
        ["config.json", "generation_config.json", "model.safetensors"]
        if name == "whole"
        else ["adapter_config.json", "adapter_model.safetensors"]
    )
    sent = store.hub.models["acme/letters"]
    assert sorted(tree(sent)) == sorted([*SENT, *weights]) == sorted(found.sizes)
    assert {file: (sent / file).stat().st_size for file in found.sizes} == found.sizes
    assert (sent / "README.md").read_text(encoding="utf-8") == found.card
    here = translate(SOURCES, model=runs[name], engine="torch", beams=1)
    assert translate(SOURCES, model="acme/letters", engine="torch", beams=1) == here


def test_the_three_lines_of_the_card_run(runs: dict[str, Path], store: Store, capsys: pytest.CaptureFixture) -> None:
    card = push(runs["adapted"], "acme/letters").card
    code = re.search(r"```python\n(.*?)```", card, re.DOTALL)
    assert code is not None
    exec(code[1].replace('"..."', '"Good morning!"'), {})  # noqa: S102
    assert capsys.readouterr().out == "[{'translation_text': '早上好！'}]\n"


def test_the_recipe_that_is_sent_is_one(runs: dict[str, Path], store: Store) -> None:
    push(runs["adapted"], "acme/letters")
    recipe = read_recipe(store.hub.models["acme/letters"] / "recipe.yaml", tasks=task_options())
    assert recipe.model.name == "acme/base"
    assert recipe.training.max_steps == 2


def test_pushed_again_there_is_another_commit(runs: dict[str, Path], store: Store) -> None:
    push(runs["adapted"], "acme/letters")
    (store.hub.models["acme/letters"] / "notes.txt").write_text("mine", encoding="utf-8")
    push(runs["whole"], "acme/letters")
    first, second = store.commits
    assert first.removed == []
    # Beside the new weights they would be taken for an adapter on them.
    assert second.removed == ["adapter_config.json", "adapter_model.safetensors"]
    assert "notes.txt" in tree(store.hub.models["acme/letters"])
    assert translate(SOURCES, model="acme/letters", engine="torch", beams=1) == translate(
        SOURCES, model=runs["whole"], engine="torch", beams=1
    )


def test_what_is_there_is_not_sent_twice(runs: dict[str, Path], store: Store) -> None:
    push(runs["whole"], "acme/letters")
    push(runs["whole"], "acme/letters")
    assert len(store.commits) == 1


def test_a_repository_may_be_private(runs: dict[str, Path], store: Store) -> None:
    push(runs["whole"], "acme/letters", private=True)
    assert store.private == {"acme/letters"}
    push(runs["whole"], "acme/letters", private=True)
    assert refusal(runs["whole"], "acme/base", private=True) == (
        f"'acme/base' is there already at {store.hub.address}, and is public; nothing was sent\n"
        f"  make it private:   {store.hub.address}/acme/base/settings\n"
        "  or leave out --private, or choose another name"
    )
    assert {commit.name for commit in store.commits} == {"acme/letters"}


def test_nothing_goes_round_a_mirror(runs: dict[str, Path], store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    push(runs["whole"], "acme/letters")
    assert constants.HF_HUB_DISABLE_XET is False
    assert not any("xet" in request for request in store.hub.requests)
    assert sum(request.startswith("PUT /store/") for request in store.hub.requests) == 1


def test_the_token_goes_to_the_hub_alone(runs: dict[str, Path], store: Store) -> None:
    push(runs["whole"], "acme/letters")
    for request, headers in zip(store.hub.requests, store.hub.headers, strict=True):
        assert ("authorization" in headers) != request.startswith("PUT /store/")


# What stays here


@pytest.mark.parametrize("name", ["whole", "local", "adapted"])
def test_nothing_that_is_sent_tells_of_this_machine_or_its_rows(
    runs: dict[str, Path], store: Store, marian: Path, name: str
) -> None:
    run = runs[name]
    (run / "diary.txt").write_text("mine", encoding="utf-8")
    push(run, "acme/letters")
    for file, content in tree(store.hub.models["acme/letters"]).items():
        assert content is not None
        for secret in (run.parent, marian.parent, run.parent.parent.name):
            assert str(secret).encode() not in content, file
        if not file.endswith((".safetensors", ".spm", ".json")):  # in which the words are those of the vocabulary
            assert SOURCES[2].encode() not in content, file
    assert not {"predictions", "report.md", "diary.txt"} & tree(store.hub.models["acme/letters"]).keys()


def test_an_adapter_on_a_folder_of_this_machine_is_said_to_be_one(
    runs: dict[str, Path], store: Store, marian: Path
) -> None:
    found = push(runs["local"], "acme/letters")
    assert found.notes == (
        f"this adapter belongs on '{marian.name}', a folder of this machine: others can load it only where they have "
        f"the same folder, as ./{marian.name}\n"
        "  to let them fetch it, train on a model of the hub:   --set model.name=ORG/NAME",
    )
    config = json.loads((store.hub.models["acme/letters"] / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == f"./{marian.name}"
    assert ModelCard(found.card).data.base_model is None
    assert push(runs["adapted"], "acme/other").notes == ()


def test_a_dry_run_asks_nobody(runs: dict[str, Path], store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    before = tree(runs["adapted"])
    found = push(runs["adapted"], "acme/letters", dry_run=True)
    assert store.hub.requests == []
    assert tree(runs["adapted"]) == before
    lines = found.preview().splitlines()
    assert lines[0] == f"would be sent to {store.hub.address}/acme/letters, in bytes:"
    assert f"{found.sizes['vocab.json']:15,}  vocab.json" in lines
    assert found.preview().endswith(f"\n\nREADME.md:\n\n{found.card.rstrip()}")


# Refusals


@pytest.mark.parametrize(
    "name", ["letters", "a/b/c", "acme/", "acme/let ters", "acme/a--b", "acme/x.git", "../letters"]
)
def test_what_is_no_name_of_a_repository(runs: dict[str, Path], name: str) -> None:
    assert refusal(runs["whole"], name, UsageError) == (
        f"{name!r} is no name of a repository\n"
        "  expected ORG/NAME, such as acme/letters-en-zh: letters, digits, '-', '_' and '.'"
    )


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    remedy = "\n  name the output folder of a run, as in:   hftoolkit push runs/mine acme/letters"
    assert refusal(tmp_path, kind=UsageError) == f"{tmp_path}: holds no run{remedy}"
    assert refusal(tmp_path / "no", kind=UsageError) == f"{tmp_path / 'no'}: there is no such folder{remedy}"


def test_an_unfinished_run(runs: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "recipe.yaml").write_bytes((runs["whole"] / "recipe.yaml").read_bytes())
    assert refusal(tmp_path, kind=OutputError) == (
        f"{tmp_path / 'report.json'}: not there; a run is complete when it exists\n"
        "  finish the run:  hftoolkit finetune RECIPE"
    )


def test_a_run_without_its_weights(runs: dict[str, Path], tmp_path: Path) -> None:
    for file in ("recipe.yaml", "report.json"):
        (tmp_path / file).write_bytes((runs["whole"] / file).read_bytes())
    assert refusal(tmp_path, kind=ModelError) == (
        f"{tmp_path}: its weights are missing\n  copy the run again, or repeat it"
    )


def test_nobody_is_logged_in(runs: dict[str, Path], store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    assert refusal(runs["whole"]) == (
        f"'acme/letters' cannot be pushed to {store.hub.address}: nobody is logged in\n"
        "  log in with `hf auth login`, or set HF_TOKEN to a token that may write\n"
        "  to see what would be sent:   --dry-run"
    )
    assert store.hub.requests == []


def test_offline(runs: dict[str, Path], store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert refusal(runs["whole"]) == (
        "'acme/letters' cannot be pushed: HF_HUB_OFFLINE forbids it\n"
        "  unset HF_HUB_OFFLINE\n"
        "  to see what would be sent:   --dry-run"
    )
    assert store.hub.requests == []


def test_a_token_that_the_hub_does_not_know(
    runs: dict[str, Path], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_another")
    message = refusal(runs["whole"])
    assert message == (
        f"{store.hub.address} does not know the token with which 'acme/letters' is pushed\n"
        "  log in with `hf auth login`, or set HF_TOKEN to a token that may write"
    )


def test_a_name_of_somebody_else(runs: dict[str, Path], store: Store) -> None:
    assert refusal(runs["whole"], "other/letters") == (
        f"{store.hub.address} does not let you write to 'other/letters': You don't have the rights to create a model "
        'under the namespace "other"\n'
        "  choose a name of yours, or log in with `hf auth login`, or set HF_TOKEN to a token that may write there"
    )


@pytest.mark.parametrize("token", ["hf_a\x01b", "hf_ä", "hf_a b"])
def test_a_token_that_is_none_is_not_shown(
    runs: dict[str, Path], store: Store, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    message = refusal(runs["whole"])
    assert message.startswith("'acme/letters' cannot be pushed: the token has blanks or letters in it")
    assert token not in message


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/repos/create", 400),
        ("/api/models/acme/letters/preupload", 403),
        ("/acme/letters.git", 500),
        ("/store", 400),
        ("/api/models/acme/letters/commit", 412),
    ],
)
def test_a_hub_that_repeats_the_token(
    runs: dict[str, Path], store: Store, monkeypatch: pytest.MonkeyPatch, path: str, status: int
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    content = json.dumps({"error": f"Not with\n{TOKEN}"}).encode()
    store.hub.faults.append(Fault(path, status=status, content=content))
    outcome = hftoolkit("push", runs["whole"], "acme/letters")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(f"error: {store.hub.address} does not ")
    assert ": Not with ***\n" in outcome.err
    assert TOKEN not in outcome.err
    assert store.commits == []


def test_nobody_listens(runs: dict[str, Path], store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert refusal(runs["whole"]) == (
            f"cannot reach {address} to push 'acme/letters' (connection refused)\n"
            f"  {address} is what --endpoint or HF_ENDPOINT says: check it, or leave it out to push to https://huggingface.co\n"
            "  to see what would be sent:   --dry-run"
        )


def test_a_mirror_that_only_gives(runs: dict[str, Path], store: Store) -> None:
    store.hub.faults.append(Fault("/api/repos/create", status=405))
    assert refusal(runs["whole"]) == (
        f"{store.hub.address} does not take 'acme/letters' (405 Method Not Allowed): a mirror may only give\n"
        "  to push to https://huggingface.co:   leave out --endpoint and HF_ENDPOINT"
    )


def test_a_page_that_is_no_hub(runs: dict[str, Path], store: Store) -> None:
    store.hub.faults.append(Fault("/api/", status=200, content=b"<html>"))
    assert "(the answer is not a hub's)" in refusal(runs["whole"])


@pytest.mark.parametrize("silent", [False, True])
def test_a_connection_that_breaks(
    runs: dict[str, Path], store: Store, monkeypatch: pytest.MonkeyPatch, silent: bool
) -> None:
    def broken(self: Any, name: str, body: bytes) -> None:
        if silent:
            time.sleep(0.5)
        self.connection.shutdown(socket.SHUT_RDWR)

    monkeypatch.setattr("hub_uploads._Taker._commit", broken)
    monkeypatch.setattr("hftoolkit.hub.upload._SILENCE", 0.2)
    why = "no answer" if silent else "connection broken"
    assert refusal(runs["whole"]) == (
        f"sending 'acme/letters' to {store.hub.address} broke off ({why})\n"
        "  run the same command again: large files that have arrived are not sent twice"
    )


def test_a_hub_that_says_nothing_is_left_in_time(
    runs: dict[str, Path], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hftoolkit.hub.upload import upload

    monkeypatch.setattr("hub_uploads._Taker._create", lambda self, **_: time.sleep(1))
    start = time.monotonic()
    with pytest.raises(HftoolkitError, match=r"\(no answer in 0\.2 s\)"):
        upload("acme/letters", {}, stale=lambda file: False, private=False, message="x", timeout=0.2)
    assert time.monotonic() - start < 1

"""`hftoolkit push`, a shell over the function."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import allowed
from hub_uploads import TOKEN, Store, serve_store
from running import hftoolkit

from hftoolkit.publishing import push

REPORT = Path(__file__).parent.parent.parent / "recipes" / "results" / "docs-en-pt-lora.json"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run as it looks to whoever sends it; nobody loads it here."""
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(REPORT, folder / "report.json")
    (folder / "recipe.yaml").write_text("task: translation\n", encoding="utf-8")
    (folder / "adapter_model.safetensors").write_bytes(bytes(1234))
    config = {"base_model_name_or_path": "/home/me/tiny"}
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    with allowed(tmp_path / "home", monkeypatch), serve_store(tmp_path / "hub") as running:
        monkeypatch.setenv("HF_ENDPOINT", running.hub.address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield running


def test_help() -> None:
    assert hftoolkit("push", "--help").out == (
        "Usage: hftoolkit push [OPTIONS] RUN ORG/NAME\n"
        "\n"
        "  Publish the model or adapter of a finished RUN, with a model card.\n"
        "\n"
        "  The card has its scores with signatures and intervals, languages, data and\n"
        "  recipe. Rows, predictions and folders of this machine are not sent. Log in\n"
        "  with `hf auth login`, or set HF_TOKEN.\n"
        "\n"
        "Options:\n"
        "  --private       Make a repository that others do not see.\n"
        "  --dry-run       Send nothing: show the files and the model card.\n"
        "  --endpoint URL  Of a mirror of the hub; left out: HF_ENDPOINT.\n"
        "  -h, --help      Show this message and exit.\n"
    )


def test_the_address_goes_to_standard_output_alone(run: Path, store: Store) -> None:
    outcome = hftoolkit("push", run, "acme/docs-en-pt", "--private")
    assert (outcome.code, outcome.out) == (0, f"{store.hub.address}/acme/docs-en-pt\n")
    assert outcome.err.startswith("note: this adapter belongs on 'tiny', a folder of this machine")
    assert store.private == {"acme/docs-en-pt"}
    assert TOKEN not in outcome.err


def test_a_dry_run_shows_the_files_and_the_card(run: Path, store: Store) -> None:
    outcome = hftoolkit("push", run, "acme/docs-en-pt", "--dry-run")
    assert outcome.code == 0
    assert outcome.out == push(run, "acme/docs-en-pt", dry_run=True).preview() + "\n"
    assert "          1,234  adapter_model.safetensors\n" in outcome.out
    assert "/home/me" not in outcome.out + outcome.err
    assert store.hub.requests == []


def test_what_was_removed_there_is_said(run: Path, store: Store) -> None:
    hftoolkit("push", run, "acme/docs-en-pt")
    (store.hub.models["acme/docs-en-pt"] / "model.safetensors").write_bytes(b"old")
    outcome = hftoolkit("push", run, "acme/docs-en-pt")
    assert "removed from acme/docs-en-pt, for they belong to what was there before: model.safetensors\n" in outcome.err


def test_a_refusal_is_an_error_in_words(run: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    outcome = hftoolkit("push", run, "acme/docs-en-pt")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.endswith("  to see what would be sent:   --dry-run\n")

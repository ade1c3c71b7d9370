"""A run as a model card: a head that the hub reads, and what people read below it."""

from dataclasses import replace

import pytest
from huggingface_hub import ModelCard
from ruamel.yaml import YAML

from hftoolkit import pipelines
from hftoolkit.reports.card import render_card
from hftoolkit.reports.card_header import PIPELINES
from hftoolkit.reports.scores import Score

NAME = "acme/letters-en-zh"


@pytest.fixture
def run(report):
    """The run, with languages and test sets in its recipe."""
    flores = {"source": "acme/flores", "subset": "zho", "split": "devtest", "revision": "v2"}
    data = {
        "train": [{"source": "mine.tsv"}, {"source": "acme/general", "split": "train"}],
        "test": {"docs": {"source": "docs.tsv"}, "flores": flores},
        "languages": {"source": "en", "target": "zh-Hans"},
    }
    return replace(report, recipe=report.recipe | {"data": data, "adapter": {"kind": "dora"}})


def head(run):
    return ModelCard(render_card(run, NAME)).data.to_dict()


# The head


def test_the_head_says_what_the_hub_sorts_by(run):
    found = head(run)
    del found["model-index"]
    assert found == {
        "language": ["en", "zh"],
        "base_model": "Helsinki-NLP/opus-mt-en-zh",
        "base_model_relation": "adapter",
        "datasets": ["acme/general"],
        "library_name": "peft",
        "metrics": ["bleu", "chrf"],
        "pipeline_tag": "translation",
        "tags": ["hftoolkit", "dora"],
    }


def test_a_tuned_model_is_one_of_transformers(run):
    found = head(replace(run, model=replace(run.model, adapter="")))
    assert (found["library_name"], found["base_model_relation"]) == ("transformers", "finetune")
    assert found["tags"] == ["hftoolkit"]


def test_every_score_stands_in_the_index_with_signature_and_interval(run):
    results = ModelCard(render_card(run, NAME)).data.eval_results
    assert [(one.dataset_name, one.metric_type, one.metric_name, one.metric_value) for one in results] == [
        ("docs", "bleu", "BLEU", 41.18),
        ("docs", "chrf", "chrF2", 36.9),
        ("flores", "bleu", "BLEU", 34.2),
        ("flores", "chrf", "chrF2", 31.3),
    ]
    assert {one.task_type for one in results} == {"translation"}
    assert results[0].metric_args == {
        "signature": "nrefs:1|case:mixed|eff:no|tok:zh|smooth:exp|version:2.6.0",
        "interval_95": [39.5, 42.9],
    }
    assert results[0].dataset_args == {"rows": 1200, "sha256": "0c0c" * 16}


def test_a_test_set_of_the_hub_is_named_as_there(run):
    docs, flores = (result["dataset"] for result in head(run)["model-index"][0]["results"])
    assert (docs["type"], docs["name"], docs["config"]) == ("local", "docs", "docs")
    del flores["args"]
    assert flores == {"name": "flores", "type": "acme/flores", "config": "zho", "split": "devtest", "revision": "v2"}


@pytest.mark.parametrize("source", ["data/mine.tsv", "./acme/rows", "/acme/rows", "a/b/c", "memories/*.tmx"])
def test_files_and_folders_are_no_data_sets_of_the_hub(run, source):
    recipe = run.recipe | {"data": run.recipe["data"] | {"train": [{"source": source}]}}
    assert "datasets" not in head(replace(run, recipe=recipe))


def test_what_is_no_number_has_no_place_in_the_index(run, docs):
    endless = Score("perplexity", float("inf"), None, None, "")
    found = head(replace(run, tests=[replace(docs, after=[docs.after[0], endless])]))
    (result,) = found["model-index"][0]["results"]
    assert [metric["type"] for metric in result["metrics"]] == ["bleu"]


@pytest.mark.parametrize(
    ("name", "revision", "words"),
    [
        ("/home/me/opus", "", "`opus`, a model that is not at the hub"),
        (
            "/home/me/models--a--b/snapshots/408d9bc410a3",
            "408d9bc410a3",
            "`408d9bc410a3`, a model that is not at the hub",
        ),
        ("demo", "", "`demo`, the built-in model of hftoolkit"),
        ("package:models/tiny", "", "`package:models/tiny`, a model in a Python package"),
    ],
)
def test_a_base_that_is_not_at_the_hub_is_in_the_text_alone(run, name, revision, words):
    run = replace(run, model=replace(run.model, name=name, revision=revision))
    assert not {"base_model", "base_model_relation"} & head(run).keys()
    text = render_card(run, NAME)
    assert f"An adapter (LoRA, rank 16, alpha 32) on {words}, for translation from en to zh-Hans, trained" in text
    assert "/home/me" not in text
    assert ("Write where that lies under `base_model_name_or_path`" in text) == words.endswith("at the hub")


def test_a_metric_in_a_folder_of_this_machine_is_named_by_its_last_part(run, docs):
    metric = Score("/home/me/metric", 0.5, None, None, "")
    text = render_card(replace(run, tests=[replace(docs, after=[docs.after[0], metric])]), NAME)
    assert "/home/me" not in text
    assert "name: metric\n" in text


def test_names_of_strangers_break_no_head(run, docs):
    name = "a: \"b\" - 'c' # d"
    (result,) = head(replace(run, tests=[replace(docs, name=name)]))["model-index"][0]["results"]
    assert result["dataset"]["name"] == name


def test_the_hub_calls_tasks_as_our_pipelines_are_called():
    assert PIPELINES == pipelines._OF_TASKS


# The text


def test_the_text_says_what_it_is_and_what_it_reached(run):
    parts = ModelCard(render_card(run, NAME)).text.strip().split("\n\n")
    assert parts[:2] == [
        "# letters-en-zh",
        "An adapter (LoRA, rank 16, alpha 32) on [`Helsinki-NLP/opus-mt-en-zh`]"
        "(https://huggingface.co/Helsinki-NLP/opus-mt-en-zh), for translation from en to zh-Hans, trained with "
        "hftoolkit 0.1.0.",
    ]
    headings = [part for part in parts if part.startswith("#")]
    assert headings[1:] == ["## Use it", "## Result", "## Scores", "## Data", "## The run", "## Recipe"]
    verdict = parts[parts.index("## Result") + 1]
    assert verdict == run.verdict().replace("<", "\\<")
    assert parts[parts.index("## Result") + 2].startswith("**Caution:** 3 of the 1,200 rows")


def test_a_model_from_nothing_has_no_base(run):
    run = replace(run, model=replace(run.model, name="scratch", revision="", adapter=""))
    assert "\nA model trained from nothing for translation from en to zh-Hans, trained with" in render_card(run, NAME)


@pytest.mark.parametrize(
    ("task", "options", "command", "call"),
    [
        ("translation", {}, 'translate --model acme/letters-en-zh "..."', '"..."'),
        ("classification", {}, 'predict --model acme/letters-en-zh "..."', '"..."'),
        (
            "classification",
            {"pair": True},
            'predict --model acme/letters-en-zh "..." "..."',
            '{"text": "...", "text_pair": "..."}',
        ),
        (
            "question_answering",
            {},
            'predict --model acme/letters-en-zh "..." "..."',
            'question="...", context="..."',
        ),
        ("pretraining", {}, None, 'f"... {pipe.tokenizer.mask_token} ..."'),
        ("instruction_tuning", {}, 'generate --model acme/letters-en-zh "..."', '"..."'),
    ],
)
def test_the_text_says_how_to_use_it(run, task, options, command, call):
    data = {"train": [{"source": "mine.tsv"}]}
    text = render_card(replace(run, task=task, recipe={"task": task, "data": data, "options": options}), NAME)
    assert f'pipe = load("{NAME}")\nprint(pipe({call}))\n```' in text
    assert (f"```bash\nhftoolkit {command}\n```" in text) if command else ("```bash" not in text)


@pytest.mark.parametrize(
    ("adapter", "words"),
    [("LoRA", "peft loads it on its base, a `MarianMTModel`"), ("", "transformers loads it as a `MarianMTModel`")],
)
def test_the_text_says_what_else_loads_it(run, adapter, words):
    text = render_card(replace(run, model=replace(run.model, adapter=adapter)), NAME)
    assert f"\nWithout hftoolkit, {words}.\n" in text


def test_the_recipe_stands_in_it_as_yaml(run):
    block = render_card(run, NAME).split("```yaml\n")[1].removesuffix("```\n")
    assert YAML(typ="safe", pure=True).load(block) == run.recipe


def test_no_row_of_a_test_set_is_in_it(run, docs):
    text = render_card(run, NAME)
    assert "Best wins" not in text
    for example in docs.best_wins:
        for row in (example.source, *example.references, example.after):
            assert row.splitlines()[0][:12] not in text

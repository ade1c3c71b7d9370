"""What strangers see of a report and a recipe: no rows, and of this machine's folders the last part."""

from dataclasses import replace

import pytest

from hftoolkit.reports.published import in_its_folder, last_part, published, published_recipe
from hftoolkit.reports.sections import Listing


@pytest.mark.parametrize(
    ("path", "last"),
    [
        ("/home/me/mine.tsv", "mine.tsv"),
        ("../../home/me/mine.tsv", "mine.tsv"),
        ("data/../../me/mine.tsv", "mine.tsv"),
        ("~/mine.tsv", "mine.tsv"),
        ("C:\\Users\\me\\mine.tsv", "mine.tsv"),
        ("C:/Users/me/mine.tsv", "mine.tsv"),
        ("\\\\server\\me\\mine.tsv", "mine.tsv"),
        ("/home/me/memories/**/*.tmx", "*.tmx"),
        ("/home/me/rows/", "rows"),
    ],
)
def test_of_a_path_that_leads_out_the_last_part_is_left(path, last):
    assert last_part(path) == last
    assert in_its_folder(path) == f"./{last}"


@pytest.mark.parametrize(
    "text", ["mine.tsv", "./data/mine.tsv", "acme/rows", "package:models/tiny", "zh-Hans", "/", ""]
)
def test_other_texts_stay(text):
    assert last_part(text) == text
    assert in_its_folder(text) == text


def test_a_recipe_keeps_what_it_says():
    recipe = {
        "task": "translation",
        "model": {"name": "/home/me/opus", "revision": "main", "scratch": None},
        "data": {
            "train": [{"source": "/home/me/mine.tsv", "columns": {}, "weight": 0.3}],
            "test": {"two": {"files": {"source": "../me/a.en", "target": ["../me/a.zh", "../me/b.zh"]}}},
        },
        "training": {"betas": [0.9, 0.98], "freeze": [], "max_steps": None, "seed": 0},
        "evaluation": {"metrics": ["/home/me/metric"]},
        "options": {"system": "/no_think Answer.", "pair": False},
        "endpoint": "https://mirror.acme.example",
        "output": "/home/me/runs/mine",
    }
    assert published_recipe(recipe) == {
        "task": "translation",
        "model": {"name": "./opus", "revision": "main"},
        "data": {
            "train": [{"source": "./mine.tsv", "weight": 0.3}],
            "test": {"two": {"files": {"source": "./a.en", "target": ["./a.zh", "./b.zh"]}}},
        },
        "training": {"betas": [0.9, 0.98], "seed": 0},
        "evaluation": {"metrics": ["./metric"]},
        "options": {"system": "/no_think Answer.", "pair": False},
        "output": "./mine",
    }


def test_a_report_keeps_its_scores_and_loses_rows_and_notes(report, docs):
    listing = Listing("Surest mistakes", ["text"], [(1, ["A row."])])
    full = replace(report, tests=[replace(docs, sections=[listing])], notes=["/home/me/mine.tsv: 2 rows were dropped"])

    (test,) = (shown := published(full)).tests

    assert (test.after, test.before, test.changes, test.leakage) == (docs.after, docs.before, docs.changes, 3)
    assert (test.best_wins, test.worst_regressions, test.sections, shown.notes) == ([], [], [], [])
    assert shown.verdict() == full.verdict()


def test_of_a_report_that_names_folders_the_last_parts_are_left(report, docs):
    data = [
        replace(report.data[0], name="/home/me/a.en + /home/me/a.zh", notes=["/home/me/a.en: UTF-16"]),
        replace(report.data[1], name="data/general.csv"),
    ]
    metric = replace(docs.after[0], name="/home/me/metric")

    full = replace(report, tests=[replace(docs, after=[metric])], data=data)
    shown = published(full)

    assert [source.name for source in shown.data] == ["a.en + a.zh", "data/general.csv"]
    assert shown.data[0].notes == []
    assert shown.tests[0].after[0].name == "metric"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Helsinki-NLP/opus-mt-en-zh", "Helsinki-NLP/opus-mt-en-zh"),
        ("./models/opus", "opus"),
        ("/home/me/opus", "opus"),
        ("demo", "demo"),
        ("package:models/tiny", "package:models/tiny"),
        ("scratch", "scratch"),
    ],
)
def test_of_a_model_in_a_folder_the_last_part_is_left(report, name, shown):
    assert published(replace(report, model=replace(report.model, name=name))).model.name == shown

"""Metrics as evaluate's objects: ours offline, others with consent."""

import os
import re
import subprocess
import sys

import evaluate
import pytest
import sacrebleu

import hftoolkit.metrics
from hftoolkit.errors import DataError, HubError, UsageError
from hftoolkit.metrics import hub_metrics, load_metric
from hftoolkit.metrics.hub_metrics import metric_scores

PREDICTIONS = ["他们昨天去了北京大学。", "猫坐在垫子上。", ""]
REFERENCES = ["他们昨天到北京大学去了。", "猫坐在垫子上。", "空"]


@pytest.mark.parametrize(
    ("name", "theirs"), [("bleu", sacrebleu.BLEU(tokenize="zh")), ("chrf", sacrebleu.CHRF())], ids=["bleu", "chrf"]
)
@pytest.mark.parametrize("nested", [False, True])
def test_ours_are_metrics_of_evaluate_with_the_scores_of_sacrebleu(name, theirs, nested):
    metric = load_metric(name, language="zh")
    references = [[reference] for reference in REFERENCES] if nested else REFERENCES

    result = metric.compute(predictions=PREDICTIONS, references=references)

    assert isinstance(metric, evaluate.Metric)
    assert result["score"] == theirs.corpus_score(PREDICTIONS, [REFERENCES]).score
    assert result["signature"] == str(theirs.get_signature())
    assert result["low"] <= result["score"] <= result["high"]


def test_rows_may_differ_in_their_number_of_references():
    metric = load_metric("chrf")
    metric.add_batch(predictions=["a b", "c d"], references=[["a c", "a b"], ["c d"]])

    assert (result := metric.compute())["score"] == 100
    assert result["signature"].startswith("nrefs:var|")


def test_code_from_the_hub_needs_consent():
    expected = (
        "metric 'comet' is Python code from the hub that would run here; 'bleu' and 'chrf' need no consent\n"
        "  if you trust it, in a recipe:  evaluation: {metrics: [comet], trust_metric_code: [comet]}\n"
        "  if you trust it, in Python:    load_metric('comet', trusted=['comet'])"
    )
    with pytest.raises(UsageError, match=f"^{re.escape(expected)}$"):
        load_metric("comet", trusted=["rouge"])


def test_a_metric_that_cannot_be_loaded_says_why(monkeypatch):
    def load(name, keep_in_memory):
        raise FileNotFoundError("no such thing\nmore")

    monkeypatch.setattr(evaluate, "load", load)
    expected = (
        "cannot load metric 'comet': no such thing\n"
        "  behind a mirror:   HF_ENDPOINT=https://hf-mirror.com hftoolkit ...\n"
        "  without network:   use a folder with the metric's file, or leave it out of evaluation.metrics"
    )
    with pytest.raises(HubError, match=f"^{re.escape(expected)}$"):
        load_metric("comet", trusted=["comet"])


def test_a_name_that_names_nothing():
    with pytest.raises(HubError, match="cannot load metric '/'"):
        load_metric("/", trusted=["/"])


def test_where_no_connection_is_allowed_none_is_tried(monkeypatch):
    monkeypatch.setattr("requests.Session.request", lambda *_, **__: pytest.fail("the network was asked"))
    with pytest.raises(HubError, match="cannot load metric 'rouge': "):
        load_metric("rouge", trusted=["rouge"])
    assert evaluate.config.HF_EVALUATE_OFFLINE is False


def test_a_metric_without_its_packages_says_which(monkeypatch):
    def load(name, keep_in_memory):
        raise ImportError("install ['comet'] using 'pip install unbabel-comet'")

    monkeypatch.setattr(evaluate, "load", load)
    expected = "metric 'comet' needs packages that are missing: install ['comet'] using 'pip install unbabel-comet'"
    with pytest.raises(HubError, match=f"^{re.escape(expected)}$"):
        load_metric("comet", trusted=["comet"])


class Fake:
    """Gives what it was made with, and remembers what it was asked."""

    def __init__(self, result, features=("predictions", "references")):
        self.result, self.features, self.asked = result, features, None

    def _feature_names(self):
        return self.features

    def compute(self, **columns):
        self.asked = columns
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def test_one_number_has_the_name_of_the_metric():
    metric = Fake({"score": 0.5, "signature": "x", "scores": [0.5]})

    assert metric_scores(metric, "it", ["p"], [["r"]], ["s"]) == {"it": 0.5}
    assert metric.asked == {"predictions": ["p"], "references": ["r"]}


def test_several_numbers_have_names_of_their_own():
    metric = Fake({"rouge1": 0.5, "rouge2": 1, "good": True, "odd": float("nan")})

    assert metric_scores(metric, "rouge", ["p"], [["r"]], ["s"]) == {"rouge.rouge1": 0.5, "rouge.rouge2": 1.0}


def test_sources_and_several_references_are_handed_over():
    metric = Fake({"score": 1}, ("sources", "predictions", "references"))

    metric_scores(metric, "it", ["p", "q"], [["r"], ["s", "t"]], ["a", "b"])

    assert metric.asked == {"predictions": ["p", "q"], "references": [["r"], ["s", "t"]], "sources": ["a", "b"]}


def test_a_metric_for_something_else_is_refused():
    expected = (
        "metric 'accuracy' does not take these predictions and references: invalid literal\n"
        "  leave it out of evaluation.metrics"
    )
    with pytest.raises(DataError, match=f"^{re.escape(expected)}$"):
        metric_scores(Fake(ValueError("invalid literal\nx")), "accuracy", ["p"], [["r"]], ["s"])


def test_a_metric_without_a_number_is_refused():
    expected = "metric 'bertscore' gives no number for a corpus\n  leave it out of evaluation.metrics"
    with pytest.raises(DataError, match=f"^{re.escape(expected)}$"):
        metric_scores(Fake({"f1": [0.5]}), "bertscore", ["p"], [["r"]], ["s"])


SCRIPT = """
import datasets
import evaluate

class Exact(evaluate.Metric):
    def _info(self):
        text = datasets.Value("string")
        features = datasets.Features({"predictions": text, "references": text})
        return evaluate.MetricInfo(description="", citation="", inputs_description="", features=features)

    def _compute(self, predictions, references):
        return {"exact": sum(map(str.__eq__, predictions, references)) / len(predictions)}
"""


def test_a_trusted_metric_runs_from_a_folder(tmp_path):
    (tmp_path / "exact").mkdir()
    (tmp_path / "exact" / "exact.py").write_text(SCRIPT, encoding="utf-8")
    code = (
        "from hftoolkit.metrics.hub_metrics import load_metric, metric_scores\n"
        "metric = load_metric('exact', trusted=['exact'])\n"
        "print(metric_scores(metric, 'exact', ['a', 'b'], [['a'], ['c']], ['', '']))"
    )
    environment = {**os.environ, "HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1", "PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8"
    )
    assert done.stdout == "{'exact': 0.5}\n", done.stderr


def test_the_name_is_loaded_on_first_use():
    code = "import sys, hftoolkit.metrics.translations as t; print({'evaluate', 'sacrebleu'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, encoding="utf-8")
    assert done.stdout == "set()\n"
    assert hub_metrics.load_metric is load_metric
    with pytest.raises(AttributeError, match=r"^module 'hftoolkit.metrics' has no attribute 'nothing'$"):
        getattr(hftoolkit.metrics, "nothing")  # noqa: B009

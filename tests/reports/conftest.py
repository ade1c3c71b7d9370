"""A report as a real run would give it."""

import math
from dataclasses import replace

import pytest

from hftoolkit.reports.run import DataSource, ModelFacts, Point, Report
from hftoolkit.reports.scores import UNTOUCHED, Change, Example, Score, TestSet

VERSION = "version:2.6.0"
BLEU = f"nrefs:1|case:mixed|eff:no|tok:zh|smooth:exp|{VERSION}"
CHRF = f"nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|{VERSION}"


@pytest.fixture(scope="session")
def docs():
    """A test set that gained."""
    return TestSet(
        name="docs",
        rows=1200,
        baseline=UNTOUCHED,
        before=[Score("BLEU", 30.12, 28.7, 31.6, BLEU), Score("chrF2", 27.4, 26.2, 28.7, CHRF)],
        after=[Score("BLEU", 41.18, 39.5, 42.9, BLEU), Score("chrF2", 36.9, 35.4, 38.3, CHRF)],
        changes={"BLEU": Change(11.06, 9.8, 12.3, 1 / 1001), "chrF2": Change(9.5, 8.4, 10.7, 1 / 1001)},
        leakage=3,
        best_wins=[
            Example(
                417,
                "Click <b>Save & Close</b> to write the file back to %s.",
                ["点击<b>保存并关闭</b>，将文件写回 %s。"],
                "点击 <b> 节约和关闭 </b>，写回文件到 % s。",
                "点击<b>保存并关闭</b>，将文件写回 %s。",
                61.3,
            ),
            Example(
                88,
                "The plugin could not be loaded:\nmissing symbol | table_init()",
                ["无法加载插件：\n缺少符号 | table_init()", "插件加载失败：\n缺少符号 | table_init()"],
                "插件不能装载: 缺失的符号",
                "无法加载插件：\n缺少符号 | table_init()",
                48.0,
            ),
        ],
        worst_regressions=[
            Example(1003, "Bank", ["银行"], "银行", "", -100.0),
            Example(
                512,
                "Rows are kept until the next time the window is opened, unless the user asked for them to be removed "
                "when the session ends or the disk runs full.",
                ["除非用户要求在会话结束或磁盘已满时删除，否则各行将保留到下次打开窗口为止。"],
                "除非用户要求在会话结束时或磁盘满时删除行，否则将保留行到下次打开窗口。",
                "行将保留到下次打开窗口为止，除非用户要求删除。",
                -21.7,
            ),
        ],
    )


@pytest.fixture(scope="session")
def bits(docs):
    """A test set whose score is the better the less it is, and of which three digits matter."""
    before, after = (Score("bits per byte", n, n - 0.01, n + 0.01, "window:96", False, 3) for n in (2.0, 1.5))
    change = Change(-0.5, -0.612, -0.4, 1 / 1001)
    example = Example(7, "A text.", [], "2.500 bits per byte", "1.250 bits per byte", 1.25)
    return replace(
        docs,
        before=[before],
        after=[after],
        changes={"bits per byte": change},
        row_score="bits per byte",
        best_wins=[example],
        worst_regressions=[],
    )


@pytest.fixture(scope="session")
def flores():
    """A test set that lost."""
    return TestSet(
        name="flores",
        rows=1012,
        baseline=UNTOUCHED,
        before=[Score("BLEU", 36.0, 34.8, 37.2, BLEU), Score("chrF2", 31.6, 30.6, 32.7, CHRF)],
        after=[Score("BLEU", 34.2, 33.0, 35.5, BLEU), Score("chrF2", 31.3, 30.3, 32.4, CHRF)],
        changes={"BLEU": Change(-1.8, -2.7, -0.9, 4 / 1001), "chrF2": Change(-0.3, -0.8, 0.2, 0.142)},
        worst_regressions=[
            Example(7, "He died on Tuesday.", ["他于星期二去世。"], "他星期二去世。", "他死于周二。", -38.4)
        ],
    )


@pytest.fixture(scope="session")
def curve():
    """Thirty points of training, six with validation."""
    points = [Point(0, None, None, {"loss": 2.61, "BLEU": 29.4})]
    for number in range(1, 31):
        wobble = 0.06 * math.sin(2.7 * number)
        scored = {"loss": 1.55 + 0.9 * math.exp(-number / 7) + 0.006 * max(0, number - 15), "BLEU": 0.0}
        scored["BLEU"] = 41.6 - 11.5 * math.exp(-number / 6) - 0.05 * max(0, number - 20)
        rate = 2e-4 * min(1.0, number / 2) * (31 - number) / 30
        loss = 1.35 + 1.25 * math.exp(-number / 8) + wobble
        points.append(Point(40 * number, loss, rate, scored if number % 5 == 0 else {}))
    return points


@pytest.fixture(scope="session")
def report(docs, flores, curve):
    """A run on two test sets."""
    return Report(
        task="translation",
        tests=[docs, flores],
        recipe={
            "task": "translation",
            "model": {"name": "Helsinki-NLP/opus-mt-en-zh", "revision": "main"},
            "data": {"train": [{"source": "mine.tsv", "columns": {"source": "en", "target": "zh"}}]},
            "training": {"epochs": 3, "learning_rate": 2e-4},
            "output": "runs/mine",
        },
        data=[
            DataSource(
                "mine.tsv", "train", 48_213, 46_951, "9f2c" * 16, {"duplicate": 1102, "source equals target": 160}
            ),
            DataSource("general.csv", "train", 250_000, 249_310, "ab01" * 16, {"empty side": 690}, 0.3, ["UTF-16"]),
            DataSource("mine.tsv", "validation", 958, 958, "77aa" * 16),
            DataSource("docs.tsv", "test: docs", 1201, 1200, "0c0c" * 16, {"empty side": 1}),
            DataSource("flores.en, flores.zh", "test: flores", 1012, 1012, "beef" * 16),
        ],
        model=ModelFacts(
            name="Helsinki-NLP/opus-mt-en-zh",
            architecture="MarianMTModel",
            parameters=77_419_008,
            trainable=1_179_648,
            number_format="float32 weights, bf16 products",
            device="CPU, 2 threads",
            revision="408d9bc410a388e1d9aef112a2daba955b945255",
            adapter="LoRA, rank 16, alpha 32",
            adapter_targets=["q_proj", "v_proj"],
        ),
        steps=1200,
        epochs=3.0,
        best_step=1000,
        tokens=4_730_112,
        seconds={"load": 3.1, "baseline": 212.4, "encode": 8.8, "train": 2466.0, "validate": 301.7, "test": 198.2},
        peak_memory_bytes=1_932_735_283,
        curve=curve,
        decoding="engine:torch|format:float32|beams:4|length_penalty:1.0|path:predict",
        versions={"python": "3.11.9", "hftoolkit": "0.1.0", "torch": "2.13.0", "transformers": "5.23.0"},
        started="2025-03-01T10:12:33+01:00",
        notes=["2 training rows were longer than 256 tokens and were dropped."],
    )

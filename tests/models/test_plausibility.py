"""Pairs that look wrong are told, real ones are not; what a tokenizer says of its language."""

from pathlib import Path

import numpy as np
import pytest
from conftest import PAIRS
from hypothesis import given, settings
from hypothesis import strategies as st

from hftoolkit.data.rows import load_rows
from hftoolkit.models.plausibility import doubts_about_pairs, may_be
from hftoolkit.recipe.schema import Languages, Source

Pairs = list[tuple[str, str]]

MANY = [(f"{en} {n}", f"{zh}{n}") for n in range(100, 120) for en, zh in PAIRS]


def doubt(pairs: Pairs, source: str = "en", target: str = "zh") -> str:
    (found,) = doubts_about_pairs(pairs, source, target)
    return found


def test_true_pairs_are_not_doubted() -> None:
    assert doubts_about_pairs(MANY, "en", "zh-Hans") == []
    assert doubts_about_pairs([(zh, en) for en, zh in MANY], "zh", "en") == []


def test_of_a_few_pairs_nothing_is_concluded() -> None:
    swapped = [(zh, en) for en, zh in MANY]
    assert doubts_about_pairs([], "en", "zh") == doubts_about_pairs(swapped[:29], "en", "zh") == []
    assert doubts_about_pairs(swapped[:30], "en", "zh") != []


def test_swapped_sides() -> None:
    assert doubt([(zh, en) for en, zh in MANY]) == (
        "source and target look swapped: 100% of the sources are not written in the script of 'en' and 100% of the "
        "targets are not written in the script of 'zh'\n  swap the columns, or data.languages"
    )


def test_sides_that_are_swapped_in_some_rows_are_not_called_swapped() -> None:
    assert doubt([pair[::-1] if row % 2 else pair for row, pair in enumerate(MANY)]) == (
        "50% of the sources are not written in the script of 'en' and 50% of the targets are not written in the script "
        "of 'zh'\n  look at the columns, and at data.languages"
    )


def test_another_script_on_one_side() -> None:
    assert doubt([(en, f"{en}!") for en, _ in MANY]) == (
        "100% of the targets are not written in the script of 'zh'\n  look at the columns, and at data.languages"
    )


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("ja", "サーバーを再起動してください"),
        ("ja", "図書館はどこですか"),
        ("ko", "도서관은 어디에 있습니까"),
        ("ru", "Где находится библиотека"),
        ("el", "Πού είναι η βιβλιοθήκη"),
        ("he", "איפה הספרייה"),
        ("ar", "أين المكتبة"),
        ("hi", "पुस्तकालय कहाँ है"),
        ("th", "ห้องสมุดอยู่ที่ไหน"),
        ("vi", "Thư viện ở đâu"),
        ("zh-Hant", "圖書館在哪裡"),
        ("zh", "使用 DataFrame.groupby"),
    ],
)
def test_a_language_in_its_own_script(tag: str, text: str) -> None:
    assert doubts_about_pairs([("Where?", text)] * 40, "en", tag) == []
    wrong = doubts_about_pairs([("Where?", "𐌀𐌁𐌂")] * 40, "en", tag)
    assert wrong == [
        f"100% of the targets are not written in the script of '{tag}'\n  look at the columns, and at data.languages"
    ]


def test_languages_of_several_scripts_and_rare_ones_are_not_judged() -> None:
    for tag in ("sr", "uz", "az", "kk", "ceb"):
        assert doubts_about_pairs([("Where?", "Где")] * 40, "en", tag) == []


def test_rows_without_letters_are_not_judged() -> None:
    assert doubts_about_pairs([("12", "12")] * 300 + MANY[:40], "en", "zh") == []


def test_sides_of_equal_lengths_are_not_judged() -> None:
    assert doubts_about_pairs([("abcd efgh", "一二三四")] * 200, "en", "zh") == []


def pairs_of_lengths(source: list[int], target: list[int]) -> Pairs:
    return [("a" * one, "字" * other) for one, other in zip(source, target, strict=True)]


LENGTHS = np.random.default_rng(1).integers(5, 200, 400).tolist()


@pytest.mark.parametrize(
    ("first", "since"),
    [
        (0, "from the beginning"),
        (90, "at the latest behind the first quarter of the rows"),
        (190, "at the latest behind the first half of the rows"),
        (290, "at the latest behind three quarters of the rows"),
    ],
)
@pytest.mark.parametrize(("by", "rows"), [(1, "1 row"), (-1, "1 row"), (3, "3 rows")])
def test_missing_lines(first: int, since: str, by: int, rows: str) -> None:
    kept = LENGTHS[:first] + LENGTHS[first + abs(by) :]
    sides = (LENGTHS[: len(kept)], kept) if by > 0 else (kept, LENGTHS[: len(kept)])
    told = doubt(pairs_of_lengths(*sides))
    assert told.startswith(f"the targets look shifted by {rows}, {since}: the lengths of both sides go together then (")
    assert told.endswith(")\n  find the line that is missing or too many on one side")


def test_a_few_pairs_are_judged_together() -> None:
    told = doubt(pairs_of_lengths(LENGTHS[:40], LENGTHS[1:41]))
    assert told.startswith("the targets look shifted by 1 row, from the beginning: ")


def test_sides_in_any_order() -> None:
    told = doubt(pairs_of_lengths(LENGTHS, np.random.default_rng(2).permutation(LENGTHS).tolist()))
    assert told.startswith("the lengths of source and target hardly go together (correlation -")
    assert told.endswith(
        "): the sides may not belong to each other\n"
        "  look at some rows: each source needs its own translation beside it"
    )


def test_rows_in_order_of_length_are_not_called_shifted() -> None:
    """By chance they go together a little better some rows further."""
    noisy = (np.sort(LENGTHS) * np.random.default_rng(3).uniform(0.8, 1.2, 400)).astype(int).tolist()
    for lengths in (sorted(LENGTHS), noisy):
        assert doubts_about_pairs(pairs_of_lengths(sorted(LENGTHS), lengths), "en", "zh") == []


@settings(deadline=None)  # the first letters of a script are looked up
@given(
    st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=12),
    st.sampled_from([1, 3, 20]),
    st.sampled_from(["en", "zh-Hans", "ja", "ceb", "sr"]),
    st.sampled_from(["de", "zh", "yue", "ar"]),
)
def test_any_texts_can_be_judged(pairs: Pairs, times: int, source: str, target: str) -> None:
    for told in doubts_about_pairs(pairs * times, source, target):
        assert "\n  " in told


@pytest.mark.parametrize(
    ("said", "language"),
    [
        (None, "de"), ("", "de"), ("eng", "en"), ("en", "en"), ("zho", "zh-Hans"), ("zh", "zh-Hant"),
        ("cmn_Hans", "zh"), ("pt_br", "pt"), ("por", "pt-BR"), ("no", "nb"), ("nb", "no"), ("hbs", "hr"),
        ("sh", "sr"), ("jap", "ja"), ("roa", "pt"),
        ("mul", "de"), ("gmw", "de"), ("cat+oci+spa", "ca"), ("zle", "uk"), ("de", "gsw"), ("fil", "tl"),
    ],
)  # fmt: skip
def test_a_model_that_may_be_of_this_language(said: str | None, language: str) -> None:
    assert may_be(said, language)


@pytest.mark.parametrize(("said", "language"), [("deu", "zh"), ("de", "nl"), ("en", "zh-Hans"), ("es", "pt-BR")])
def test_a_model_of_another_language(said: str, language: str) -> None:
    assert not may_be(said, language)


TRANSLATION = {
    "multi30k": ({"files": {"source": "multi30k/train.en", "target": "multi30k/train.de"}}, "en", "de"),
    "tatoeba zh": (
        {"source": "tatoeba-cmn-eng/cmn.txt", "format": "tsv", "columns": {"source": 1, "target": 2}}, "en", "zh"),
    "3am": ({"files": {"source": "3am-en-zh/train.en", "target": "3am-en-zh/train.zh"}}, "en", "zh"),
    "tico19": ({"source": "tico19-tmx/*zh*.tmx"}, "en", "zh"),
    "docs zh": ({"source": "python-docs-zh_CN-po", "format": "po"}, "en", "zh-Hans"),
    "docs pt": ({"source": "python-docs-pt_BR-po", "format": "po"}, "en", "pt-BR"),
    "drf": ({"source": "drf-po/zh_Hans", "format": "po"}, "en", "zh-Hans"),
    "flores": ({"files": {"source": "flores200/eng_Latn.devtest", "target": "flores200/zho_Hans.devtest"}}, "en", "zh"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", TRANSLATION)
def test_real_pairs_are_not_doubted_and_shifted_ones_are(
    name: str, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shared / "data" / "translation")
    source, *languages = TRANSLATION[name]
    rows = load_rows(
        [Source.model_validate(source)],
        ["source"],
        ["target"],
        filters=None,
        folder=tmp_path,
        languages=Languages(source=languages[0], target=languages[1]),
    )
    for first in (0, len(rows) // 2, max(0, len(rows) - 1000)):
        pairs = [(row["source"], row["target"]) for row in rows.take(range(first, min(first + 1000, len(rows))))]
        assert doubts_about_pairs(pairs, *languages) == []
        if name.startswith("tatoeba"):
            continue  # in order of length: a line further all is as it was
        sides = [one for one, _ in pairs], [other for _, other in pairs]
        shifted = list(zip(sides[0][:-1], sides[1][1:], strict=True))
        if len(pairs) > 100:
            assert "the targets look shifted by 1 row" in doubts_about_pairs(shifted, *languages)[0]

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftoolkit.models.suspicions import suspicions


@pytest.mark.parametrize(
    ("source", "translation", "found"),
    [
        ("Where is the library?", "", ["empty"]),
        ("Where is the library?", " \n", ["empty"]),
        ("How are you?", "你好你好你好", ["repetition"]),
        ("I like the library.", "我喜欢图书馆，我喜欢图书馆，我喜欢图书馆", ["repetition"]),
        ("No, I do not think so.", "不不不不不不", ["repetition"]),
        ("Thanks.", "谢谢。" + "图书馆在市中心的大学旁边，离这里很近。", ["too long"]),
        ("The library in the old town is open on all days but Sunday and Monday.", "好", ["too short"]),
        ("Where is the library?", "Where is the library ?", ["copy of the source"]),
        ("Where is the library?", "Dónde está la biblioteca?", ["wrong script"]),
    ],
)
def test_each_fault_of_a_translation_is_found_and_named(source: str, translation: str, found: list[str]) -> None:
    assert suspicions(source, translation, "zh-Hans") == found


@pytest.mark.parametrize(
    ("source", "translation", "target"),
    [
        ("No.", "不。", "zh"),
        ("Microsoft Windows", "Microsoft Windows", "zh"),
        ("Install PyTorch and NumPy with pip.", "用 pip 安装 PyTorch 和 NumPy。", "zh"),
        ("Bye bye, bye bye, bye bye!", "再见，再见，再见！", "zh"),
        ("He goes away slowly, very slowly.", "他慢慢地，慢慢地走了。", "zh"),
        ("I don't know...", "我不知道……", "zh"),
        ("Die Wanderer erklimmen die Berge.", "The hikers are climbing up the mountains.", "en"),
        ("早上好", "Good morning", "en"),
    ],
)
def test_a_good_translation_is_not_suspected(source: str, translation: str, target: str) -> None:
    assert suspicions(source, translation, target) == []


@given(st.text(), st.text())
def test_any_two_texts_can_be_looked_at(source: str, translation: str) -> None:
    assert isinstance(suspicions(source, translation, "zh"), list)


@pytest.mark.slow
def test_hardly_any_true_pair_is_suspected(shared: Path) -> None:
    folder = shared / "data/translation/flores200"
    sides = [(folder / f"{name}.devtest").read_text(encoding="utf-8").splitlines() for name in ("eng_Latn", "zho_Hans")]
    tatoeba = (shared / "data/translation/tatoeba-cmn-eng/cmn.txt").read_text(encoding="utf-8").splitlines()
    pairs = [*zip(*sides, strict=True), *(line.split("\t")[:2] for line in tatoeba)]

    suspected = [pair for pair in pairs if suspicions(*pair, "zh") or suspicions(*reversed(pair), "en")]

    assert len(suspected) < len(pairs) / 1000

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from source_reading import read_all, rows_of, write

from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Languages

EN_ZH = Languages(source="en", target="zh-Hans")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "m.tmx"


def memory(path: Path, *units: dict[str, str] | list[tuple[str, str]], attribute: str = "xml:lang") -> str:
    body = ""
    for unit in units:
        pairs = unit.items() if isinstance(unit, dict) else unit
        variants = "".join(f'<tuv {attribute}="{tag}"><seg>{text}</seg></tuv>' for tag, text in pairs)
        body += f"<tu><prop type='x'>no text</prop>{variants}</tu>"
    return write(path, f'<tmx version="1.4"><header srclang="en"/><body>{body}</body></tmx>')


def message(**keys: Any) -> str:
    with pytest.raises(DataError) as caught:
        rows_of(**keys)
    return str(caught.value)


def test_units_are_rows(path: Path) -> None:
    source = memory(path, {"en": "a", "zh": "中"}, {"fr": "z", "zh": "文", "en": "b"})
    rows, census, places = read_all(source=source, languages=EN_ZH)
    assert rows == [{"source": "a", "target": "中"}, {"source": "b", "target": "文"}]
    assert places == [f"{path}: unit 1", f"{path}: unit 2"]
    assert (census.dropped, census.notes) == ({}, [])


def test_a_memory_has_no_direction(path: Path) -> None:
    source = memory(path, {"en": "a", "zh-CN": "中"})
    assert rows_of(source=source, languages=Languages(source="zh", target="en-GB")) == [{"source": "中", "target": "a"}]


def test_columns_say_it_without_or_against_the_languages(path: Path) -> None:
    source = memory(path, {"en": "a", "zh-CN": "中", "zh-TW": "繁"})
    assert rows_of(source=source, columns={"source": "en", "target": "zh_TW"}) == [{"source": "a", "target": "繁"}]
    assert rows_of(source=source, columns={"target": "zh-Hant"}, languages=EN_ZH) == [{"source": "a", "target": "繁"}]


def test_several_languages_of_one_role_are_several_references(path: Path) -> None:
    source = memory(path, {"en": "a", "zh-CN": "中", "zh-TW": "繁"}, {"en": "b", "zh-TW": "文"})
    assert rows_of(source=source, columns={"source": "en", "target": ["zh-CN", "zh-TW"]}) == [
        {"source": "a", "target": ["中", "繁"]},
        {"source": "b", "target": ["文"]},
    ]


def test_the_attribute_of_old_versions(path: Path) -> None:
    source = memory(path, {"EN": "a", "ZH": "中"}, attribute="lang")
    assert rows_of(source=source, languages=EN_ZH) == [{"source": "a", "target": "中"}]


def test_units_that_lack_a_language_are_left_out(path: Path) -> None:
    source = memory(path, {"en": "a"}, {"en": "b", "zh": "文"}, {})
    rows, census, places = read_all(source=source, languages=EN_ZH)
    assert rows == [{"source": "b", "target": "文"}]
    assert census.dropped == {"not in all languages": 2}
    assert places == [f"{path}: unit 2"]


def test_the_first_of_several_texts_in_one_language(path: Path) -> None:
    source = memory(path, [("en", "a"), ("zh", "中"), ("zh", "文")], [("en", "b"), ("zh", "字")])
    rows, census, _ = read_all(source=source, languages=EN_ZH)
    assert rows == [{"source": "a", "target": "中"}, {"source": "b", "target": "字"}]
    assert census.notes == ["units with several texts in one language, of which the first is used: 1"]


def test_another_region_is_taken_and_noted(path: Path) -> None:
    source = memory(path, {"en": "a", "pt-PT": "b"}, {"en": "c", "pt-PT": "d"})
    rows, census, _ = read_all(source=source, languages=Languages(source="en", target="pt-BR"))
    assert len(rows) == 2
    assert census.notes == [f"{path} is in pt-PT, which is taken for pt-BR"]


def test_varieties_in_different_units_are_no_question(path: Path) -> None:
    source = memory(path, {"en-US": "a", "zh": "中"}, {"en-GB": "b", "zh": "文"})
    assert len(rows_of(source=source, languages=EN_ZH)) == 2


def test_varieties_in_one_unit_are(path: Path) -> None:
    source = memory(path, {"en": "a", "zh-CN": "中"}, {"en": "a", "zh-CN": "中", "zh-TW": "繁"})
    assert message(source=source, languages=Languages(source="en", target="zh")) == (
        f"{path}: unit 2: the target is wanted in zh: zh-CN or zh-TW?\n  say which:  columns: {{target: zh-CN}}"
    )


@pytest.mark.parametrize("units", [[{"en": "a", "zh-TW": "b"}, {"en": "c", "fr": "d"}], [{"en": "a", "": "b"}]])
def test_a_file_without_the_languages(path: Path, units: list[dict[str, str]]) -> None:
    shown = "en, fr, zh-TW" if len(units) == 2 else "(none named), en"
    assert message(source=memory(path, *units), languages=EN_ZH) == (
        f"{path}: no unit is in both en and zh-Hans; the languages in this file are: {shown}\n"
        "  say which one holds which role:"
        "  columns: {source: LANGUAGE, target: LANGUAGE}  (or data.languages, for translation)"
    )


def test_one_text_has_one_role(path: Path) -> None:
    source = memory(path, {"en": "a", "fr": "b"})
    assert "no unit is in both en-US and en-GB" in message(
        source=source, columns={"source": "en-US", "target": "en-GB"}
    )


def test_a_role_without_language(path: Path) -> None:
    assert message(roles=("text", "label"), source=memory(path, {"en": "a"}), languages=EN_ZH) == (
        f"{path}: which of its languages is the role 'text'?\n"
        "  say which one holds which role:"
        "  columns: {text: LANGUAGE, label: LANGUAGE}  (or data.languages, for translation)"
    )


def test_a_role_of_its_own(path: Path) -> None:
    source = memory(path, {"en": "a"})
    assert rows_of(("text",), source=source, columns={"text": "en"}) == [{"text": "a"}]
    assert "no unit is in fr; the" in message(roles=("text",), source=source, columns={"text": "fr"})


def test_a_memory_without_units(path: Path) -> None:
    assert rows_of(source=memory(path), languages=EN_ZH) == []


TWO = """<prop type='x'>no text</prop><tuv xml:lang="en"><seg>This is sentence {0}.</seg></tuv>
<tuv xml:lang="zh"><seg>这是第 {0} 句。</seg></tuv>"""
CHILD = """
import resource, sys
from pathlib import Path
from hftoolkit.data.census import Census
from hftoolkit.data.sources import read
from hftoolkit.recipe.schema import Languages, Source
pairs = read(Source(source=sys.argv[1]), ("source", "target"), Census("t"), Languages(source="en", target="zh"))
count = sum(1 for _, raws in pairs for _ in raws)
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    pytest.importorskip("resource", reason="peak memory is asked of the system")
    peaks = []
    for count in (100, 100_000):
        path = tmp_path / f"{count}.tmx"
        with open(path, "w", encoding="utf-8") as file:  # in pieces: a child's peak is at least its parent's size
            file.write("<tmx><body>")
            file.writelines(f"<tu>{TWO}</tu>".format(n) for n in range(count))
            file.write("</body></tmx>")
        command = [sys.executable, "-c", CHILD, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        read, peak = map(int, done.stdout.split())
        assert read == count
        peaks.append(peak)
    assert path.stat().st_size > 12e6
    assert peaks[1] - peaks[0] < 4e6

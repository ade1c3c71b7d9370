"""Make the training and test rows of the built-in model from the original data sets.

    pip install opencc
    python demo-en-zh/prepare.py FOLDER

FOLDER holds the data as their makers publish them, and demo-en-zh/ beside the recipe gets the rows. phrases.tsv, what
people say when they meet and travel, was written for this model, for the data have little of it.

    cmn.txt              Tatoeba, English and Mandarin (CC-BY 2.0), tab-separated
    3am/                 train, val and test of MaxyLee/3AM (MIT)
    docs/                the PO files of python/python-docs-zh-cn (CC0)
    all.en-zh.tmx        the translation memory of TICO-19 (CC0)
    flores200/           eng_Latn.devtest of FLORES-200, only so that none of it is learned

All Chinese is made simplified. Entries of the documentation and of the memory are cut into sentences where both sides
have as many, and code, placeholders and addresses in them become stand-ins such as ⟦1⟧, as in translating. No English
sentence of a test set is in the training rows, whatever its case and punctuation.
"""

import csv
import hashlib
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

from opencc import OpenCC

from hftoolkit.data.rows import load_rows
from hftoolkit.documents.masking import mask
from hftoolkit.documents.pieces import Mark, Text, flat
from hftoolkit.documents.protection import protect
from hftoolkit.documents.sentences import split
from hftoolkit.documents.stand_ins import STYLES
from hftoolkit.hub import cache_folder
from hftoolkit.recipe.schema import Filters, Languages, Source

Pair = tuple[str, str]

HERE = Path(__file__).parent
LANGUAGES = Languages(source="en", target="zh-Hans")
STYLE = next(style for style in STYLES if style.before == "⟦")
"""What stands for code, placeholders and addresses in the rows, and later in what is translated."""

TATOEBA_TEST, DOCS_TEST = 1000, 1000
"""Rows held out."""

HELD_OUT_FILES = 25
"""One of so many files of the documentation is held out as a whole: its sentences resemble each other."""

simplified: Callable[[str], str] = OpenCC("t2s").convert

_CJK = "㐀-䶿一-鿿豈-﫿"
_FULL_WIDTH = str.maketrans(",!?:;()", "，！？：；（）")
_HALF_WIDTH_AFTER_CJK = re.compile(f"(?<=[{_CJK}”’」』）])\\s?[,!?:;](?![\\w/])|(?<=[{_CJK}])[()]|[()](?=[{_CJK}])")
_FINAL_DOT = re.compile(f"(?<=[{_CJK}”’」』）])\\.$")
_BETWEEN_CJK = re.compile(f"(?<=[{_CJK}，。！？：；、（）])[ \\t]+(?=[{_CJK}，。！？：；、（）])")


def main(folder: Path) -> None:
    """Write all files, and say how many rows each has."""
    tests = {
        "tatoeba": [],
        "docs": [],
        "3am": list(_cleaned(_rows(folder, files={"source": "3am/test.en", "target": "3am/test.zh"}))),
    }
    tatoeba = list(_cleaned(_rows(folder, source="cmn.txt", format="tsv", columns={"source": 1, "target": 2})))
    chosen = sorted({_key(english) for english, _ in tatoeba}, key=_hash)[:TATOEBA_TEST]
    tests["tatoeba"] = _first_of_each([pair for pair in tatoeba if _key(pair[0]) in set(chosen)])

    learned_docs, kept_docs = [], []
    for name, pair in _named_rows(folder, source="docs"):
        (kept_docs if int(_hash(name), 16) % HELD_OUT_FILES == 0 else learned_docs).append(pair)
    docs_test = _first_of_each(_cleaned(_sentences(kept_docs)))
    tests["docs"] = sorted(docs_test, key=lambda pair: _hash(pair[0]))[:DOCS_TEST]

    forbidden = {_key(english) for english, _ in chain(docs_test, *tests.values())}
    for file in (folder / "flores200/eng_Latn.devtest", folder / "3am/val.en"):
        forbidden |= {_key(line) for line in file.read_text(encoding="utf-8").split("\n") if line}
    for file in sorted((HERE.parent / "quickstart").glob("*.tsv")):
        forbidden |= {_key(line.split("\t")[0]) for line in file.read_text(encoding="utf-8").split("\n") if line}

    training = {
        "tatoeba": tatoeba,
        "3am": _cleaned(_rows(folder, files={"source": "3am/train.en", "target": "3am/train.zh"})),
        "docs": _cleaned(_sentences(learned_docs)),
        "tico19": _cleaned(_sentences(_rows(folder, source="all.en-zh.tmx"))),
        "phrases": _cleaned(_rows(HERE, source="phrases.tsv", columns={"source": "en", "target": "zh"})),
    }
    for name, pairs in training.items():
        _write(f"{name}.train.tsv", (pair for pair in pairs if _key(pair[0]) not in forbidden))
    for name, rows in tests.items():
        _write(f"{name}.test.tsv", rows)


def _rows(folder: Path, **source: object) -> Iterator[Pair]:
    return (pair for _, pair in _named_rows(folder, **source))


def _named_rows(folder: Path, **where: object) -> Iterator[tuple[str, Pair]]:
    """Rows with the names of their files, read as a recipe's are."""
    for key in ("source", "files"):
        if isinstance(names := where.get(key), str):
            where[key] = str(folder / names)
        elif isinstance(names, dict):
            where[key] = {role: str(folder / name) for role, name in names.items()}
    rows = load_rows(
        [Source.model_validate(where)],
        ["source"],
        ["target"],
        filters=Filters(max_characters=4000),
        folder=cache_folder(),
        languages=LANGUAGES,
    )
    names = rows.file_names
    for number, row in zip(rows.file_numbers.tolist(), rows, strict=True):
        yield names[number], (row["source"], row["target"])


def _sentences(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Sentence by sentence where both sides have as many, else as they are; a stand-in for what is no language."""
    for english, chinese in pairs:
        ours = [sentence.text for sentence in split(protect((english,)), "en") if sentence.text]
        theirs = [sentence.text for sentence in split(protect((chinese,)), "zh") if sentence.text]
        if len(ours) != len(theirs):
            ours, theirs = [protect((english,))], [protect((chinese,))]
        for source, target in zip(ours, theirs, strict=True):
            if pair := _masked(source, target):
                yield pair


def _masked(source: Text, target: Text) -> Pair | None:
    """A pair as `hftoolkit translate` gives it to the model; None where the sides do not have the same marks."""
    masked = mask(source, STYLE)
    if any(isinstance(part, Mark) for part in (*masked.lead, *masked.tail)) or any(
        len(group.parts) > 1 for group in masked.groups
    ):
        return None
    stand_ins = {flat(group.parts): STYLE.stand_in(group.number) for group in masked.groups}
    marks = [part.text for part in target if isinstance(part, Mark)]
    if sorted(marks) != sorted(flat(group.parts) for group in masked.groups) or len(stand_ins) < len(marks):
        return None
    return masked.plain, "".join(part if isinstance(part, str) else stand_ins[part.text] for part in target)


def _cleaned(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Pairs in simplified characters and with Chinese punctuation; those that cannot be translations are left out."""
    for english, chinese in pairs:
        english = re.sub(r"\s+", " ", unicodedata.normalize("NFC", english)).strip()
        english = english.replace(" - ", "-") if " - " in english and "  " not in english else english
        english = re.sub(r" (?='s\b|n't\b)", "", english)
        chinese = simplified(re.sub(r"\s+", " ", unicodedata.normalize("NFC", chinese)).strip())
        chinese = _BETWEEN_CJK.sub("", chinese)
        chinese = _HALF_WIDTH_AFTER_CJK.sub(lambda found: found[0].strip().translate(_FULL_WIDTH), chinese)
        chinese = _FINAL_DOT.sub("。", chinese)
        words = len(english.split())
        characters = len(re.findall(f"[{_CJK}]", chinese))
        if not characters or re.search(f"[{_CJK}]", english) or not re.search("[A-Za-z]", english):
            continue
        if words > 80 or not 0.25 <= (len(re.findall(r"[A-Za-z0-9_]+", chinese)) + characters) / words <= 8:
            continue
        yield english, chinese


def _first_of_each(pairs: Iterable[Pair]) -> list[Pair]:
    """One pair for every English sentence."""
    return list({_key(english): (english, chinese) for english, chinese in reversed(list(pairs))}.values())[::-1]


def _key(english: str) -> str:
    """What is left of a sentence when case, white space and punctuation do not count."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", english).casefold())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _write(name: str, pairs: Iterable[Pair]) -> None:
    count = 0
    with open(HERE / name, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
        writer.writerow(("en", "zh"))
        for english, chinese in pairs:
            writer.writerow((english, chinese))
            count += 1
    print(f"{name}: {count:,} rows")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Small recipes of every task and small data files of every format, right as they are: what `mutations` changes."""

import gzip
import io
import json
from copy import deepcopy
from typing import Any

from conftest import PAIRS

FEW = PAIRS[:10]
ANSWERED = [("good" if number % 2 else "bad", f"film {number}") for number in range(10)]
"""Words that the tiny encoder knows, with something that makes each row another one."""


def _lines(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _jsonl(rows: list[dict[str, Any]]) -> bytes:
    return _lines([json.dumps(row, ensure_ascii=False) for row in rows])


def _parquet(columns: dict[str, list[Any]]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    written = io.BytesIO()
    parquet.write_table(pa.table(columns), written)
    return written.getvalue()


_HEAD = '<?xml version="1.0"?>\n'
_TMX = "".join(
    f'<tu><tuv xml:lang="en"><seg>{en}</seg></tuv><tuv xml:lang="zh-CN"><seg>{zh}</seg></tuv></tu>\n' for en, zh in FEW
)
_XLIFF = "".join(
    f'<trans-unit id="{number}"><source>{en}</source><target>{zh}</target></trans-unit>\n'
    for number, (en, zh) in enumerate(FEW)
)
_XLIFF2 = "".join(
    f'<unit id="{number}"><segment><source>{en}</source><target>{zh}</target></segment></unit>\n'
    for number, (en, zh) in enumerate(FEW)
)
_PO = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Language: zh_CN\\n"\n\n' + "".join(
    f'#: file.c:{number}\nmsgid "{en}"\nmsgstr "{zh}"\n\n' for number, (en, zh) in enumerate(FEW)
)
_SENTENCES = [[("great", "B-ORG"), ("film", "I-ORG"), (str(number), "O")] for number in range(10)]
_CONLLU = [
    "\t".join([str(place), word, word, tag, "_", "_", "0", "root", "_", "_"]) + "\n" * (place == 3)
    for sentence in _SENTENCES
    for place, (word, tag) in enumerate(sentence, 1)
]
_QUESTIONS = [
    {
        "context": f"the {text} was {word}",
        "qas": [
            {
                "id": text,
                "question": "was it good?",
                "answers": [{"text": word, "answer_start": len(f"the {text} was ")}],
            }
        ],
    }
    for word, text in ANSWERED
]
_CHATS = [
    {"messages": [{"role": "user", "content": f"{text}?"}, {"role": "assistant", "content": word}]}
    for word, text in ANSWERED
]

FILES: dict[str, bytes] = {
    "pairs.tsv": _lines(["en\tzh", *("\t".join(pair) for pair in FEW)]),
    "pairs.csv": _lines(["en,zh", *(f'"{en}","{zh}"' for en, zh in FEW)]),
    "pairs.jsonl": _jsonl([{"en": en, "zh": zh} for en, zh in FEW]),
    "pairs.json": json.dumps([{"en": en, "zh": zh} for en, zh in FEW], ensure_ascii=False, indent=1).encode(),
    "pairs.parquet": _parquet({"en": [en for en, _ in FEW], "zh": [zh for _, zh in FEW]}),
    "pairs.po": _PO.encode(),
    "pairs.tmx": f'{_HEAD}<tmx version="1.4"><header/><body>\n{_TMX}</body></tmx>\n'.encode(),
    "pairs.xlf": f'{_HEAD}<xliff version="1.2"><file source-language="en" target-language="zh-CN"><body>\n'
    f"{_XLIFF}</body></file></xliff>\n".encode(),
    "pairs.xliff": f'<xliff version="2.0" srcLang="en" trgLang="zh-CN"><file id="f">\n'
    f"{_XLIFF2}</file></xliff>\n".encode(),
    "pairs.en": _lines([en for en, _ in FEW]),
    "pairs.zh": _lines([zh for _, zh in FEW]),
    "labels.jsonl": _jsonl([{"text": f"{word} {text}", "label": word} for word, text in ANSWERED]),
    "labels.csv": _lines(["text,label", *(f"{word} {text},{word}" for word, text in ANSWERED)]),
    "several.jsonl": _jsonl([{"text": f"{word} {text}", "labels": [word, text[:4]]} for word, text in ANSWERED]),
    "numbers.tsv": _lines(["text\tnumber", *(f"{word} {text}\t{len(word)}.5" for word, text in ANSWERED)]),
    "tags.conll": _lines(["\n".join(" ".join(pair) for pair in sentence) + "\n" for sentence in _SENTENCES]),
    "tags.conllu": _lines(_CONLLU),
    "tags.jsonl": _jsonl([{"words": [word for word, _ in one], "tags": [tag for _, tag in one]} for one in _SENTENCES]),
    "spans.jsonl": _jsonl(
        [
            {"text": f"{word} {text}", "spans": [{"start": 0, "end": len(word), "label": "ORG"}]}
            for word, text in ANSWERED
        ]
    ),
    "questions.json": json.dumps({"version": "1", "data": [{"title": "t", "paragraphs": _QUESTIONS}]}).encode(),
    "questions.jsonl": _jsonl(
        [{"question": "was it?", "context": f"the {text} was {word}", "answers": [word]} for word, text in ANSWERED]
    ),
    "texts.jsonl": _jsonl([{"text": f"the {text} was {word}. we like it."} for word, text in ANSWERED]),
    "texts.txt": _lines([f"the {text} was {word}.\nwe like it.\n" for word, text in ANSWERED]),
    "chats.jsonl": _jsonl(_CHATS),
    "prompts.csv": _lines(["prompt,answer", *(f"{text}?,{word}" for word, text in ANSWERED)]),
}
"""Names and contents."""

_CARD = "---\nconfigs:\n- config_name: all\n  data_files:\n  - {split: train, path: pairs.csv}\n---\n# A set\n"
FILES |= {
    "set/README.md": _CARD.encode(),
    "set/pairs.csv": FILES["pairs.csv"],
}
FILES |= {f"{name}.gz": gzip.compress(FILES[name], mtime=0) for name in ("pairs.tsv", "pairs.tmx", "pairs.parquet")}


_SIZES = {"width": 16, "feed_forward": 32, "heads": 2, "positions": 64}
_BERT, _GPT2, _LLAMA = ({"name": f"../models/{name}"} for name in ("bert", "gpt2", "llama"))

FAMILIES: dict[str, dict[str, Any]] = {
    "translation": {
        "task": "translation",
        "model": {"scratch": {"vocabulary": 400, **_SIZES, "encoder_layers": 1, "decoder_layers": 1}},
    },
    "classification": {"task": "classification", "model": _BERT},
    "several labels": {"task": "classification", "model": _BERT, "options": {"problem": "multi_label"}},
    "numbers": {"task": "classification", "model": _BERT, "options": {"problem": "regression"}},
    "ner": {"task": "ner", "model": _BERT, "options": {"scheme": "IOB2"}},
    "spans": {"task": "ner", "model": _BERT, "options": {"spans": True}},
    "question_answering": {"task": "question_answering", "model": _BERT, "options": {"window": 32, "stride": 8}},
    "pretraining": {"task": "pretraining", "model": _BERT, "options": {"mask": 0.3}},
    "new encoder": {"task": "pretraining", "model": {"scratch": {"vocabulary": 100, **_SIZES, "layers": 1}}},
    "language_modelling": {"task": "language_modelling", "model": _GPT2, "options": {"window": 32}},
    "new decoder": {"task": "language_modelling", "model": {"scratch": {"vocabulary": 300, **_SIZES, "layers": 1}}},
    "instruction_tuning": {"task": "instruction_tuning", "model": _LLAMA, "options": {"window": 64}},
    "prompted": {"task": "translation", "model": _LLAMA, "options": {"prompt": "separator"}},
}
"""Kinds of runs: what their recipes say besides data, training, evaluation and output."""

_COLUMNS = {"columns": {"source": "en", "target": "zh"}}
_TEXT = {"files": {"source": "data/pairs.en", "target": "data/pairs.zh"}}

SOURCES: dict[str, tuple[str, dict[str, Any]]] = {
    **{f"pairs.{ending}": ("translation", _COLUMNS) for ending in ("tsv", "csv", "jsonl", "json", "parquet")},
    **{f"pairs.{ending}": ("translation", {}) for ending in ("po", "tmx", "xlf", "xliff", "tmx.gz")},
    **{f"pairs.{ending}.gz": ("translation", _COLUMNS) for ending in ("tsv", "parquet")},
    **{f"pairs.{ending}": ("translation", _TEXT) for ending in ("en", "zh")},
    "set/README.md": ("translation", {**_COLUMNS, "source": "data/set", "split": "train"}),
    "labels.jsonl": ("classification", {}),
    "labels.csv": ("classification", {}),
    "several.jsonl": ("several labels", {}),
    "numbers.tsv": ("numbers", {}),
    "tags.conll": ("ner", {}),
    "tags.conllu": ("ner", {"columns": {"tags": 4}}),
    "tags.jsonl": ("ner", {}),
    "spans.jsonl": ("spans", {}),
    "questions.json": ("question_answering", {}),
    "questions.jsonl": ("question_answering", {}),
    "texts.jsonl": ("pretraining", {}),
    "texts.txt": ("language_modelling", {"files": {"text": "data/texts.txt"}}),
    "chats.jsonl": ("instruction_tuning", {}),
    "prompts.csv": ("instruction_tuning", {}),
}
"""Files, each with a kind of run that can learn from it, and what its source says besides its name."""


def recipe_for(file: str, family: str | None = None) -> dict[str, Any]:
    """A recipe that takes one step, and is measured on what it learns from.

    Args:
        file: A key of `SOURCES`.
        family: Another kind of run than the file's own.
    """
    own, more = SOURCES[file]
    parts = deepcopy(FAMILIES[family or own])
    source = deepcopy(more if "files" in more else {"source": f"data/{file}", **more})
    data = {"train": source, "validation": deepcopy(source), "test": deepcopy(source)}
    if parts["task"] == "translation":
        data |= {"languages": {"source": "en", "target": "zh-Hans"}}
    return {
        **parts,
        "data": data,
        "training": {"max_steps": 1, "batch_tokens": 64, "learning_rate": 0.001, "precision": "float32"},
        "evaluation": {"beams": 1},
        "output": "runs/new",
    }


RECIPES: list[dict[str, Any]] = [
    *(recipe_for(file) for file in SOURCES if not file.startswith("pairs.") or file in ("pairs.tsv", "pairs.en")),
    recipe_for("texts.jsonl", "new encoder"),
    recipe_for("texts.txt", "new decoder"),
    recipe_for("pairs.tsv", "prompted"),
]
"""One or more of every task."""

"""Recipes changed as people change them, well and badly, and as nobody would."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

from fuzzed_files import FILES, RECIPES
from hypothesis import strategies as st
from mutations import TOP, Draw, Mutant, as_yaml, changed, damaged
from wild_texts import texts


@st.composite
def recipes(draw: Draw) -> Mutant:
    """A recipe in which up to three things are other ones: for four of ten, what the schema allows."""
    tree = deepcopy(draw(st.sampled_from(RECIPES)))
    how = draw(st.sampled_from([*["allowed"] * 4, *["wild"] * 3, "written", "damaged", "overridden"]))
    if how == "damaged":
        return Mutant(damaged(draw, as_yaml(tree).encode()), FILES)
    if how == "written":
        lines = as_yaml(tree).splitlines()
        for _ in range(draw(st.integers(1, 2))):
            lines = _written(draw, lines)
        return Mutant("\n".join([*lines, ""]).encode("utf-8", "surrogatepass"), FILES)
    if how == "overridden":
        keys = st.sampled_from([*_ALLOWED, *_OF_NUMBERS, *_OF_TEXTS, "data.train.0.weight", "data.train.1", "a..b"])
        said = [f"{draw(keys)}={as_yaml(draw(_VALUES), 2)}" for _ in range(draw(st.integers(1, 2)))]
        return replace(changed(tree), overrides=tuple(said))
    for _ in range(draw(st.integers(1, 3))):
        _allow(draw, tree) if how == "allowed" else _go_wild(draw, tree)
    return changed(tree)


# What a schema allows


def _allow(draw: Draw, tree: dict[str, Any]) -> None:
    """Say something else that may be said."""
    own = {f"options.{key}": values for key, values in _OPTIONS[tree["task"]].items()}
    key = draw(st.sampled_from([*_ALLOWED, *own, *own, *(key for key in _ALLOWED if key.startswith("training."))]))
    _put(tree, key.split("."), deepcopy(draw(st.sampled_from((_ALLOWED | own)[key]))))


_ALLOWED: dict[str, list[Any]] = {
    "training.learning_rate": [1e-7, 0.01, 1, 5e-324],
    "training.seed": [0, 7, 2**32 - 1],
    "training.batch_tokens": [16, 48, 100_000],
    "training.micro_batches": [2, 5, 64],
    "training.max_tokens": [4, 12, 512],
    "training.schedule": ["linear", "cosine", "constant", "inverse_sqrt"],
    "training.warmup_ratio": [0, 0.5, 0.99],
    "training.warmup_steps": [0, 3, 1_000_000_000],
    "training.weight_decay": [0, 0.1, 1000],
    "training.betas": [[0.0, 0.0], [0.9, 0.999]],
    "training.max_grad_norm": [1e-9, 0.1, 1e9],
    "training.dropout": [0, 0.3, 0.99],
    "training.label_smoothing": [0.1, 0.9],
    "training.layer_decay": [0.8, 1e-9, 1.0],
    "training.precision": ["auto", "float32", "bf16"],
    "training.patience": [1, 9],
    "training.averaging": [{}, {"checkpoints": 2, "choose": "best"}],
    "training.epochs": [1, 2, 1_000_000],
    "training.max_steps": [1, 2, 3],
    "training.freeze": [["*embed*"], ["*.layer.0", "*.layers.0", "*.h.0"], ["*attn*", "*attention*"], []],
    "evaluation.beams": [1, 2, 3],
    "evaluation.length_penalty": [0, -1, 2.5],
    "evaluation.every": [1, 2, 1_000_000],
    "evaluation.validation_rows": [1, 3, 10**9],
    "evaluation.batch_tokens": [16, 512],
    "evaluation.metrics": [["bleu"], ["chrf", "bleu"], ["rouge"]],
    "adapter": [
        None,
        {},
        {"kind": "lora", "rank": 2},
        {"kind": "dora", "rank": 1, "dropout": 0.5},
        {"kind": "rslora", "alpha": 3},
        {"targets": ["query", "value"]},
        {"targets": ["q_proj", "fc1"]},
    ],
    "data.filters": [
        {"duplicates": False, "equal": False},
        {"max_characters": 20},
        {"max_characters": 1},
        {"markup_only": False},
    ],
    "data.validation": [{"split": 0.3}, {"split": 0.5, "by": "file"}, {"split": 0.001}],
    "data.test": [{"split": 0.4}, {"one": {"split": 0.3}, "other two": {"split": 0.3}}],
    "data.languages": [
        {"source": "zh", "target": "en"},
        {"source": "de", "target": "ja"},
        {"source": "en", "target": "th-TH"},
        {"source": "en", "target": "zh_TW"},
    ],
    "data.train.weight": [0.1, 2.5, 1000],
    "data.train.encoding": ["utf-8", "utf-8-sig", "gb18030"],
    "data.train.format": ["tsv", "jsonl", "csv", "text"],
    "tracking": [["tensorboard"], []],
    "endpoint": ["https://hf-mirror.com"],
    "model": [{"name": "../models/gpt2"}, {"name": "../models/llama"}, {"name": "../models/bert"}],
    "model.revision": ["main", "v1.0"],
    "output": ["run", "./a/b/c", "../outside/new", f"{TOP}/outside/new", "~/new", "ünïcode run/中文"],
}
"""Keys with values; for some of the tasks they make no sense together."""

_OPTIONS: dict[str, dict[str, list[Any]]] = {
    "translation": {"prompt": [None, "chat", "separator"]},
    "classification": {
        "problem": ["single_label", "multi_label", "regression"],
        "pair": [False],
        "label_names": [["bad", "good"], []],
        "separator": [" ", ";"],
        "class_weights": ["balanced", {"good": 3.0}],
    },
    "ner": {"scheme": ["IOB2", "none", None, "IOB1", "BIOES"], "mend": [True, False], "characters": [True, False]},
    "question_answering": {
        "window": [16, 24, 384],
        "stride": [0, 100],
        "no_answer": [True],
        "max_answer_tokens": [1, 5],
        "max_question_tokens": [1, 64],
        "language": ["chinese"],
    },
    "pretraining": {
        "mask": [0.01, 0.9],
        "whole_words": [True],
        "packed": [True],
        "next_sentence": [True],
        "language": ["de", "zh", "en-GB"],
    },
    "language_modelling": {"window": [16, 4096], "packing": [True, False]},
    "instruction_tuning": {
        "window": [16, 4096],
        "packing": [False],
        "too_long": ["drop", "left", "right", "error"],
        "template": ["chatml"],
    },
}
"""The same of each task's own."""


# What it may not allow


def _go_wild(draw: Draw, tree: dict[str, Any]) -> None:
    """Put anything anywhere: another value, another key, a key less, a value elsewhere."""
    there = _keys(tree) or ["task"]
    key = draw(st.sampled_from(there)).split(".")
    match draw(st.sampled_from(_HOWS)):
        case "value":
            _put(tree, draw(st.sampled_from([*_ALLOWED, *_OF_TEXTS, *_OF_NUMBERS, *there])).split("."), draw(_VALUES))
        case "number":
            _put(tree, draw(st.sampled_from(_OF_NUMBERS)).split("."), draw(_NUMBERS))
        case "text":
            _put(tree, draw(st.sampled_from(_OF_TEXTS)).split("."), draw(_TEXTS))
        case "name":
            _put(tree, draw(st.sampled_from(_OF_FILES)).split("."), draw(st.sampled_from(_NAMES)))
        case "texts":
            _put(tree, draw(st.sampled_from(_OF_LISTS)).split("."), draw(st.lists(_TEXTS, max_size=3)))
        case "remove":
            _take(tree, key)
        case "rename":
            near = st.sampled_from([key[-1].upper(), f"{key[-1]}s", key[-1][:-1], f"{key[-1]} "])
            _put(tree, [*key[:-1], draw(near | _TEXTS)], _take(tree, key))
        case "repeat":
            _put(tree, key, [_take(tree, key)] * draw(st.integers(0, 3)))
        case _:
            _put(tree, [*draw(st.sampled_from([*there, ""])).split("."), key[-1]], _take(tree, key))


_HOWS = [*["value"] * 2, *["number"] * 3, "text", *["name"] * 2, "texts", "remove", "rename", "repeat", "move"]

_OF_NUMBERS = [
    *(key for key, values in _ALLOWED.items() if any(isinstance(value, int | float) for value in values)),
    *("model.scratch.vocabulary", "model.scratch.width", "model.scratch.heads", "model.scratch.layers"),
    *("model.scratch.positions", "model.scratch.feed_forward", "model.scratch.dropout", "model.scratch.encoder_layers"),
    *("adapter.rank", "adapter.alpha", "adapter.dropout", "data.filters.max_characters", "data.validation.split"),
    *("training.averaging.checkpoints", "options.window", "options.stride", "options.mask"),
    *("options.max_answer_tokens", "options.max_question_tokens"),
    *("data.train.columns.source", "data.train.columns.text", "data.train.columns.tags"),
]
_OF_TEXTS = [
    *("task", "model.name", "model.revision", "model.quantize", "model.scratch.tokenizer", "output", "endpoint"),
    *("data.train.source", "data.train.encoding", "data.train.files.source", "data.train.format"),
    *("data.train.split", "data.train.subset", "data.train.revision", "data.train.columns.source"),
    *("data.train.columns.text", "data.train.columns.label", "data.test.source", "data.validation.source"),
    *("data.languages.source", "data.languages.target", "options.separator", "options.language"),
]
_OF_FILES = ["output", "model.name", "data.train.source", "data.train.files.source", "data.test.source"]
_OF_LISTS = ["training.freeze", "adapter.targets", "evaluation.metrics", "options.label_names", "tracking"]

_NAMES = [
    *(
        "",
        ".",
        "..",
        "~",
        "~/new",
        "~nobody-here/new",
        "-",
        " ",
        "new ",
        "data",
        "data/",
        "data/pairs.tsv",
        "*",
        "**/*",
    ),
    *("../outside", "../outside/secret.txt", "../../new", "data/../../outside/new", f"{TOP}/outside", f"{TOP}/new"),
    *(
        "/dev/null",
        "/dev/zero",
        "/dev/stdin",
        "/dev/full",
        "CON",
        "nul.tsv",
        "COM1",
        "C:\\new",
        "\\\\server\\share\\new",
    ),
    *("http://127.0.0.1:9/new", "https://example.org/pairs.tsv", "file:///etc/passwd", "s3://new/a.csv", "hf://new/a"),
    *("org/name", "org/../name", "../models/bert", "package:json/new", "package:__main__/new", "package:../new"),
    *("demo", "recipe.yaml", "data/pairs.tsv/more", "data/pairs.tsv\n", "a" * 300, "a/" * 2000, "$HOME/new", "new\0"),
    *("%TEMP%\\new", "data/*.tsv", "data/[", "data/**", "data/pairs.{en,zh}", "runs/new\u202etxt.exe", "__pycache__"),
    *("data/pairs.tsv.gz", "runs/new/checkpoints"),
]
"""Of files and folders, of what is none, and what could be taken for one."""

_TEXTS = st.one_of(
    st.sampled_from(_NAMES),
    texts,
    st.text(st.characters(), max_size=8),  # halves of surrogate pairs, too
    st.sampled_from(["yes", "2e-5", "1_000", "0x10", "null", "[]", "{}", "en", "bert", "a" * 5000, "\u202eabc", "0"]),
)
_NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([10**9, 2**31, 2**63, 2**64, 10**19, 10**300, 10**4200, -(10**12), 65_536, 1_000_000, 1024]),
    st.sampled_from([0.0, -0.0, 1e308, 5e-324, 0.999999999999, 1.0, 1e-12, float("nan"), float("inf"), float("-inf")]),
    st.floats(),
)
_SCALARS = st.one_of(_NUMBERS, _TEXTS, st.booleans(), st.none())
_VALUES = st.sampled_from(
    [
        *([_NUMBERS] * 4 + [_TEXTS] * 3 + [st.booleans(), st.none(), st.lists(_SCALARS, max_size=3)]),
        st.dictionaries(_TEXTS, _SCALARS, max_size=2),
    ]
).flatmap(lambda kind: kind)


def _keys(tree: Any, above: str = "") -> list[str]:
    """Every key of a recipe, with those it lies in."""
    found: list[str] = []
    for key, value in tree.items() if isinstance(tree, dict) else ():
        if "." not in key:
            found += [f"{above}{key}", *_keys(value, f"{above}{key}.")]
    return found


def _put(tree: dict[str, Any], key: list[str], value: Any) -> None:
    *holders, last = [step for step in key if step] or [""]
    for step in holders:
        if not isinstance(tree.get(step), dict):
            tree[step] = {}
        tree = tree[step]
    tree[last] = value


def _take(tree: Any, key: list[str]) -> Any:
    for step in key[:-1]:
        tree = tree.get(step) if isinstance(tree, dict) else None
    return tree.pop(key[-1], None) if isinstance(tree, dict) else None


# How it may be written


def _written(draw: Draw, lines: list[str]) -> list[str]:
    """The same written in another way, or not quite."""
    lines = lines or [""]
    at, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    key, _, value = lines[at].partition(": ")
    match draw(st.integers(0, 15)):
        case 0:
            lines.insert(other, lines[at])
        case 1:
            del lines[at]
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at] = draw(st.sampled_from([" ", "   ", "\t", " \t"])) + lines[at]
        case 4:
            lines[at] = lines[at].lstrip()
        case 5:  # code, for readers of YAML that build objects
            lines[at] = f"{key}: {draw(st.sampled_from(_TAGS))} {value}"
        case 6:
            lines[at] = f"{key}: &a {value}"
            lines.append(draw(st.sampled_from(["tracking: *a", "<<: *a", "options: *b"])))
        case 7:  # a billion laughs
            lines.append("x0: &x0 [lol]")
            lines += [f"x{number}: &x{number} [{', '.join([f'*x{number - 1}'] * 9)}]" for number in range(1, 12)]
        case 8:
            lines.insert(
                0, draw(st.sampled_from(["---", "%YAML 1.1\n---", "# a comment", "", "...", "%TAG ! tag:x:\n---"]))
            )
        case 9:
            lines.append(draw(st.sampled_from(["---", "...", "---\ntask: ner", "}", "# end", "\t", "key", ": value"])))
        case 10:
            colon = draw(st.sampled_from([":", " : ", ":\t", "= ", ': "', ": '", ": |\n", ": >-\n  "]))
            lines[at] = lines[at].replace(": ", colon)
        case 11:
            lines[at] = f"{key}: '{value}'"
        case 12:
            lines[at] = f"{key}:\n{draw(st.sampled_from(['  - ', '      ', '- ']))}{value}"
        case 13:  # data in the place of a recipe
            lines *= 500
        case 14:
            lines[at] += draw(st.sampled_from([" # why", "#", " ,", " :", " }", "\x85", "\u2028", " \ufeff", "\x07"]))
        case _:
            deep = st.sampled_from(["[" * 60, "{a: " * 60, "[" * 60 + "]" * 60, "- - - x", "? x", "@x"])
            lines[at] = f"{key}: {draw(deep | texts)}"
    return lines


_TAGS = ["!!python/object/apply:os.system ['echo > ../outside/executed'] #", "!!python/name:os.system", "!x", "!!str"]

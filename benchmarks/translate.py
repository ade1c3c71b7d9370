"""Sentences per second, quality and peak memory of our engines beside CTranslate2 driven by hand and transformers.

    python benchmarks/translate.py speed MODEL SOURCES [--references FILE --language zh] [--rows 2000] [--json FILE]
    python benchmarks/translate.py random TOKENIZER SOURCES [--tokens 30] [--rows 2000] [--json FILE]
    python benchmarks/translate.py cold MODEL TEXT [--rounds 5] [--json FILE]

`speed`: every peer is a process of its own that loads its model, translates a few rows to warm up, and then all of
them; tokenizing and putting together count, loading does not. Our engine and CTranslate2 by hand, which are close, take
turns as often as --rounds says. Those that take many times as long translate every tenth row, once, on which BLEU and
chrF2 of all are; one sentence at a time it is every twentieth. CTranslate2 by hand is given its own conversion of the
checkpoint in the number format of our engine, sentencepiece, our patience, to look as far as we do (`impatient`
has its own, which ends sooner), and the best settings of a sweep: 1,000 to 8,000 tokens a batch, one worker with all
threads or a worker for every thread; it sorts by itself. Transformers' outputs are limited as ours are, by the longest
source of a batch.

`random`: the same with a model of opus-mt's size (6+6 layers of 512, TOKENIZER's vocabulary) and random weights; every
output is forced to be --tokens long. Only of our torch engine and transformers in file order, which differ in what they
take together, every output is forced to be as long as its source, and a batch lasts as long as its longest; these two
translate every third row.

`cold`: whole processes from start to end: `hftoolkit translate --model MODEL TEXT`, and a script that does the same
through transformers. Each pair is timed in turn; the first use ever, which converts the checkpoint, is timed apart.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hftoolkit import hub
from hftoolkit.engines.decoding import Decoding

PEERS = ("hand", "fast", "impatient", "torch", "sorted32", "order16", "single")
RATIOS = {
    "fast / hand": ("fast", "hand"),
    "fast / hand, impatient": ("fast", "impatient"),
    "fast / transformers, sorted batches of 32": ("fast", "sorted32"),
    "fast / transformers, one at a time": ("fast", "single"),
    "torch / transformers, file order": ("torch", "order16"),
}
EVERY = {"hand": 1, "fast": 1, "impatient": 1, "torch": 10, "sorted32": 10, "order16": 10, "single": 20}
"""Of so many rows each peer translates one."""

AS_LONG_AS_SOURCE = {"torch": 3, "order16": 3}
"""The same of peers whose outputs, with random weights, are as long as the sources."""

BATCH_TOKENS = (1000, 2000, 4000, 8000)
SCRIPT = """
import sys
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForSeq2SeqLM.from_pretrained(sys.argv[1])
output = model.generate(**tokenizer(sys.argv[2:], return_tensors="pt"), num_beams=4)
print(tokenizer.batch_decode(output, skip_special_tokens=True)[0])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "random", "cold"])
    parser.add_argument("model")
    parser.add_argument("sources", metavar="SOURCES | TEXT")
    parser.add_argument("--references", type=Path)
    parser.add_argument("--language", help="of the references")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--beams", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=30)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--peer", choices=["prepare", "sweep", *PEERS], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        print(json.dumps(_child(arguments)))
        return
    facts = {"what": arguments.what, "beams": arguments.beams, "machine": platform.machine(), "cores": os.cpu_count()}
    facts |= {name: version(name) for name in ("ctranslate2", "torch", "transformers", "sentencepiece")}
    facts |= _cold(arguments) if arguments.what == "cold" else _speed(arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


# Throughput


def _speed(arguments: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["HFTOOLKIT_CACHE"] = str(folder / "cache")
        settings: dict[str, Any] = {"model": str(hub.resolve(arguments.model))}
        _tell(folder, settings)
        # In a process of its own: children would inherit the peak of this one's memory.
        settings |= _ask(arguments, folder, "prepare")
        _tell(folder, settings)

        sweep = _ask(arguments, folder, "sweep")
        best = min(sweep, key=lambda one: one["seconds"])
        settings |= {key: best[key] for key in ("batch_tokens", "workers", "threads")}
        _tell(folder, settings)

        runs: dict[str, list[dict[str, Any]]] = {}
        for number in range(arguments.rounds or 3):
            for peer in PEERS[:3] if number else PEERS:
                found = _ask(arguments, folder, peer)
                runs.setdefault(peer, []).append(found)
                print(f"{peer:10} {json.dumps(found)}", flush=True)
        speed = {peer: statistics.mean(run["sentences_per_second"] for run in found) for peer, found in runs.items()}
        ratios = {name: round(speed[one] / speed[other], 2) for name, (one, other) in RATIOS.items()}
        scores = _scores(arguments, folder)
    for peer, found in scores.items():
        print(f"{peer:10} {json.dumps(found)}")
    for name, ratio in ratios.items():
        print(f"{ratio:6.2f}  {name}")
    facts = {"rows": len(_lines(arguments)), "engine": settings["engine"], "sweep": sweep, "best": best, "runs": runs}
    return facts | {"scores": scores, "ratios": ratios}


def _tell(folder: Path, settings: dict[str, Any]) -> None:
    (folder / "facts.json").write_text(json.dumps(settings), encoding="utf-8")


def _ask(arguments: argparse.Namespace, folder: Path, peer: str) -> Any:
    command = [sys.executable, *sys.argv, "--peer", peer, "--folder", str(folder)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
    return json.loads(told)


def _scores(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    if arguments.references is None:
        return {}
    from hftoolkit.metrics import translations

    references = _read(arguments.references)[: arguments.rows : EVERY["torch"]]
    found = {}
    for peer in PEERS[:-1]:
        outputs = json.loads((folder / f"{peer}.json").read_text(encoding="utf-8"))[:: EVERY["torch"] // EVERY[peer]]
        metrics = {"BLEU": translations.bleu(arguments.language), "chrF2": translations.chrf()}
        scores = {name: metric.corpus_score(outputs, [references]).score for name, metric in metrics.items()}
        found[peer] = {name: round(score, 2) for name, score in scores.items()}
    return found


def _child(arguments: argparse.Namespace) -> Any:
    arguments.settings = json.loads((arguments.folder / "facts.json").read_text(encoding="utf-8"))
    arguments.model = arguments.settings["model"]
    lines = _lines(arguments)
    if arguments.peer == "prepare":
        return _prepare(arguments)
    if arguments.peer == "sweep":
        return _sweep(arguments, lines)
    peer = {"hand": _hand, "impatient": _hand, "fast": _ours, "torch": _ours}.get(arguments.peer, _transformers)
    every = AS_LONG_AS_SOURCE if _as_long_as_source(arguments) else EVERY
    lines = lines[:: every[arguments.peer]]
    translate = peer(arguments)
    translate(lines[:8])
    begin = time.perf_counter()
    outputs = translate(lines)
    seconds = time.perf_counter() - begin
    (arguments.folder / f"{arguments.peer}.json").write_text(json.dumps(outputs), encoding="utf-8")
    return {"sentences_per_second": round(len(lines) / seconds, 2), "peak_memory_mib": _peak_memory() >> 20}


def _ours(arguments: argparse.Namespace) -> Callable[[list[str]], list[str]]:
    engine = _open(arguments, "torch" if arguments.peer == "torch" else "ctranslate2").engine
    decoding, forced = Decoding(arguments.beams), _forced(arguments)
    if _as_long_as_source(arguments):
        decoding, forced = AsLongAsSource(arguments.beams), {}  # with random weights nothing ends before its limit
    return lambda lines: list(engine.generate(lines, decoding, **forced))


class AsLongAsSource(Decoding):
    """Every output is as long as its source."""

    def limit(self, source_tokens: int, positions: int) -> int:
        return min(positions, source_tokens)


def _transformers(arguments: argparse.Namespace) -> Callable[[list[str]], list[str]]:
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    model = AutoModelForSeq2SeqLM.from_pretrained(arguments.model, dtype=torch.float32)
    size = {"sorted32": 32, "order16": 16, "single": 1}[arguments.peer]
    forced = _forced(arguments)

    def translate(lines: list[str]) -> list[str]:
        order = list(range(len(lines)))
        if arguments.peer == "sorted32":
            order.sort(key=lambda place: len(lines[place]))
        found = [""] * len(lines)
        for begin in range(0, len(order), size):
            places = order[begin : begin + size]
            inputs = tokenizer([lines[place] for place in places], return_tensors="pt", padding=True, truncation=True)
            width = inputs["input_ids"].shape[1]
            limits = forced or {"max_length": Decoding().limit(width, 512)}
            if _as_long_as_source(arguments):
                limits = {"min_length": width, "max_length": width}
            with torch.inference_mode():
                output = model.generate(**inputs, num_beams=arguments.beams, **limits)
            for place, text in zip(places, tokenizer.batch_decode(output, skip_special_tokens=True), strict=True):
                found[place] = text
        return found

    return translate


def _hand(arguments: argparse.Namespace) -> Callable[[list[str]], list[str]]:
    import ctranslate2
    import sentencepiece

    from hftoolkit.engines.searching import PATIENCE

    settings = arguments.settings
    reader, writer = (
        sentencepiece.SentencePieceProcessor(model_file=str(Path(arguments.model) / name))
        for name in ("source.spm", "target.spm")
    )
    translator = ctranslate2.Translator(
        str(arguments.folder / "hand"),
        compute_type=settings["kind"],
        inter_threads=settings["workers"],
        intra_threads=settings["threads"],
    )
    limits = {}
    if forced := _forced(arguments):
        limits = {"min_decoding_length": forced["min_new_tokens"], "max_decoding_length": forced["max_new_tokens"]}

    def translate(lines: list[str]) -> list[str]:
        pieces = [[*row, "</s>"] for row in reader.encode(lines, out_type=str)]
        results = translator.translate_batch(
            pieces,
            beam_size=arguments.beams,
            max_batch_size=settings["batch_tokens"],
            batch_type="tokens",
            patience=1 if arguments.peer == "impatient" else PATIENCE,
            **limits,
        )
        return [writer.decode(result.hypotheses[0]) for result in results]

    return translate


def _sweep(arguments: argparse.Namespace, lines: list[str]) -> list[dict[str, Any]]:
    cores = os.cpu_count() or 1
    found = []
    for workers, threads in dict.fromkeys([(1, cores), (cores, 1)]):
        for batch_tokens in BATCH_TOKENS:
            tried = {"batch_tokens": batch_tokens, "workers": workers, "threads": threads}
            arguments.settings |= tried
            translate = _hand(arguments)
            translate(lines[:8])
            begin = time.perf_counter()
            translate(lines)
            found.append({**tried, "seconds": round(time.perf_counter() - begin, 3)})
            print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    return found


def _prepare(arguments: argparse.Namespace) -> dict[str, str]:
    """Convert the checkpoint by our engine, and by hand into the same number format."""
    from ctranslate2.converters import TransformersConverter

    if arguments.what == "random":
        arguments.model = _random_model(Path(arguments.model), arguments.folder / "random")
    signature: str = _open(arguments, "ctranslate2").engine.signature
    kind = signature.partition("|")[2]
    TransformersConverter(arguments.model).convert(str(arguments.folder / "hand"), quantization=kind)
    return {"model": arguments.model, "engine": signature, "kind": kind}


def _open(arguments: argparse.Namespace, engine: str) -> Any:
    from hftoolkit.engines.opening import open_engine

    if arguments.what == "random" and engine == "ctranslate2":
        from hftoolkit.engines import converting

        # What random weights write hangs on the last bit: nothing can be concluded from it.
        converting.TIE, converting.LEAST_CHRF = float("inf"), 0.0
    return open_engine(arguments.model, lambda config, name: "AutoModelForSeq2SeqLM", engine=engine, device="cpu")


def _as_long_as_source(arguments: argparse.Namespace) -> bool:
    return arguments.what == "random" and arguments.peer in AS_LONG_AS_SOURCE


def _forced(arguments: argparse.Namespace) -> dict[str, int]:
    if arguments.what != "random":
        return {}
    return {"min_new_tokens": arguments.tokens - 1, "max_new_tokens": arguments.tokens}


def _random_model(tokenizer: Path, folder: Path) -> str:
    import torch
    from transformers import AutoTokenizer, GenerationConfig, MarianConfig, MarianMTModel

    shutil.copytree(tokenizer, folder, ignore=shutil.ignore_patterns("config.json", "generation_config.json"))
    folder.chmod(0o755)
    loaded = AutoTokenizer.from_pretrained(str(tokenizer))
    pad, eos = loaded.pad_token_id, loaded.eos_token_id
    numbers = {"pad_token_id": pad, "decoder_start_token_id": pad, "eos_token_id": eos, "forced_eos_token_id": eos}
    config = MarianConfig(
        vocab_size=len(loaded),
        d_model=512,
        encoder_layers=6,
        decoder_layers=6,
        encoder_attention_heads=8,
        decoder_attention_heads=8,
        encoder_ffn_dim=2048,
        decoder_ffn_dim=2048,
        max_position_embeddings=512,
        activation_function="swish",
        scale_embedding=True,
        **numbers,
    )
    torch.manual_seed(1)
    model = MarianMTModel(config)
    with torch.no_grad():
        model.get_input_embeddings().weight[pad].zero_()
    model.generation_config = GenerationConfig(bad_words_ids=[[pad]], max_length=512, num_beams=4, **numbers)
    model.save_pretrained(folder)
    return str(folder)


# A new process


def _cold(arguments: argparse.Namespace) -> dict[str, Any]:
    commands = {
        "hftoolkit": [sys.executable, "-m", "hftoolkit", "translate", "--model", arguments.model, arguments.sources],
        "transformers": [sys.executable, "-c", SCRIPT, str(hub.resolve(arguments.model)), arguments.sources],
    }
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HFTOOLKIT_CACHE"] = folder
        facts: dict[str, Any] = {"first_use_seconds": _seconds(commands["hftoolkit"])[0]}
        print(f"first use  {facts['first_use_seconds']:.2f} s")
        runs: dict[str, list[float]] = {}
        for _ in range(arguments.rounds or 5):
            for name, command in commands.items():
                seconds, text = _seconds(command)
                runs.setdefault(name, []).append(seconds)
                print(f"{name:12} {seconds:6.2f} s  {text}", flush=True)
        seen = subprocess.run(
            [sys.executable, "-X", "importtime", *commands["hftoolkit"][1:]], check=True, capture_output=True, text=True
        ).stderr
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in seen.splitlines()}
    heavy = sorted(imported & {"torch", "transformers"})
    median = {name: statistics.median(found) for name, found in runs.items()}
    ratio = median["hftoolkit"] / median["transformers"]
    print(f"median     {json.dumps(median)}, ratio 1 to {1 / ratio:.1f}; imported of torch and transformers: {heavy}")
    return facts | {"runs": runs, "median": median, "ratio": round(ratio, 4), "imported": heavy}


def _seconds(command: list[str]) -> tuple[float, str]:
    begin = time.perf_counter()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return round(time.perf_counter() - begin, 3), done.stdout.strip()


# Files and memory


def _lines(arguments: argparse.Namespace) -> list[str]:
    return _read(Path(arguments.sources))[: arguments.rows]


def _read(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def _peak_memory() -> int:
    """Bytes; without torch, whose import would be measured too."""
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


if __name__ == "__main__":
    main()

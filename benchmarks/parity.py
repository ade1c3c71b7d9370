"""How many outputs of our torch engine equal `generate` of transformers one sentence at a time, token by token.

    python benchmarks/parity.py MODEL SOURCES [--rows 500] [--json FILE]

For greedy and beam 4, alone and in our batches; a difference is shown with what both outputs cost the model, in nats.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from hftoolkit.engines.decoding import Decoding
from hftoolkit.translating import open_translator


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("sources", type=Path)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    engine = open_translator(arguments.model, device="cpu").engine
    lines = [line for line in arguments.sources.read_text(encoding="utf-8").split("\n") if line][: arguments.rows]
    ids = engine.tokenizer(lines)["input_ids"]
    results = []
    for beams in (1, 4):
        decoding = Decoding(beams)
        expected = [_reference(engine, row, decoding) for row in ids]
        alone = [_ours(engine, [row], decoding)[0] for row in ids]
        together: list[list[int]] = [[]] * len(ids)
        for places in engine._batches(ids, None):
            for place, row in zip(places, _ours(engine, [ids[place] for place in places], decoding), strict=True):
                together[place] = row
        gaps = [
            abs(_cost(engine, source, one) - _cost(engine, source, other))
            for source, one, other in zip(ids, expected, together, strict=True)
            if one != other
        ]
        equal = sum(map(list.__eq__, alone, expected))
        results.append({"beams": beams, "rows": len(ids), "equal_alone": equal, "differ_in_batches": len(gaps)})
        results[-1]["largest_gap_nats_per_token"] = max(gaps, default=0.0)
        print(
            f"beams {beams}: alone {equal}/{len(ids)} equal; in batches {len(ids) - len(gaps)}/{len(ids)} equal, "
            f"largest gap {max(gaps, default=0.0):.1e} nats per token"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


@torch.inference_mode()
def _reference(engine: Any, row: list[int], decoding: Decoding) -> list[int]:
    output = engine.model.generate(
        torch.tensor([row]),
        attention_mask=torch.ones(1, len(row), dtype=torch.long),
        num_beams=decoding.beams,
        length_penalty=decoding.length_penalty,
        do_sample=False,
        max_length=decoding.limit(len(row), engine.positions),
    )
    return _bare(engine, output[0].tolist())


def _ours(engine: Any, rows: Sequence[list[int]], decoding: Decoding) -> list[list[int]]:
    return [_bare(engine, output) for output in engine._generate(rows, decoding, {}).tolist()]


def _bare(engine: Any, output: list[int]) -> list[int]:
    """Without start and padding, which depend on the batch."""
    return [token for token in output if token != engine.model.config.pad_token_id]


@torch.inference_mode()
def _cost(engine: Any, source: list[int], output: list[int]) -> float:
    start = [engine.model.config.decoder_start_token_id]
    logits = engine.model(torch.tensor([source]), decoder_input_ids=torch.tensor([start + output[:-1]])).logits[0]
    return float(torch.nn.functional.cross_entropy(logits, torch.tensor(output)))  # [T, V]


if __name__ == "__main__":
    main()

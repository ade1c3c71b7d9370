"""BLEU of a finished run as older papers count it, beside the BLEU of the text itself.

    python benchmarks/moses_bleu.py RUN TEST LANGUAGE [--json FILE]

RUN is the folder of a run, TEST the name of one of its test sets, LANGUAGE that of the target, for the tokenizer.
Papers on Multi30k lower-case both sides, tokenise them as Moses does, and count on that (`tokenize=none`): such a
number may be held against theirs. The BLEU of the text as it is may be held against those of sacreBLEU.
"""

import argparse
import json
from pathlib import Path

import sacrebleu
from sacremoses import MosesPunctNormalizer, MosesTokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("test")
    parser.add_argument("language")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    outputs, references = (
        (arguments.run / "predictions" / f"{arguments.test}.{name}.txt").read_text(encoding="utf-8").splitlines()
        for name in ("after", "reference")
    )
    tokenizer, normalizer = MosesTokenizer(arguments.language), MosesPunctNormalizer(arguments.language)

    def moses(lines: list[str]) -> list[str]:
        return [tokenizer.tokenize(normalizer.normalize(line.lower()), return_str=True) for line in lines]

    found = {}
    for name, metric, sides in (
        ("text as it is", sacrebleu.BLEU(force=True), (outputs, references)),
        ("lower-cased, Moses tokens", sacrebleu.BLEU(tokenize="none", force=True), (moses(outputs), moses(references))),
    ):
        score = metric.corpus_score(sides[0], [sides[1]])
        found[name] = {"BLEU": round(score.score, 2), "rows": len(outputs), "signature": str(metric.get_signature())}
        print(f"{name:26} BLEU {score.score:5.2f}   {metric.get_signature()}")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

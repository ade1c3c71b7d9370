"""Make tables of the TREC questions, whose files have neither columns nor UTF-8.

    python trec/prepare.py FOLDER

FOLDER holds train_5500.label and TREC_10.label as their makers publish them, or TREC.train and TREC.test. Beside this
file come train.tsv and test.tsv, with the columns label (ABBR, DESC, ENTY, HUM, LOC, NUM), fine (such as HUM:ind) and
text.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMES = {"train.tsv": ("train_5500.label", "TREC.train"), "test.tsv": ("TREC_10.label", "TREC.test")}
"""What the tables are made of, by either of two names."""


def main(folder: Path) -> None:
    """Write both tables."""
    for name, originals in NAMES.items():
        found = next((path for path in (folder / original for original in originals) if path.is_file()), None)
        if found is None:
            sys.exit(f"{folder}: neither {' nor '.join(originals)} is there")
        lines = [row(line) for line in found.read_text(encoding="latin-1").split("\n") if line.strip()]
        (HERE / name).write_text("\n".join(["label\tfine\ttext", *lines]) + "\n", encoding="utf-8")
        print(f"{HERE / name}: {len(lines):,} questions")


def row(line: str) -> str:
    """``HUM:ind Who was Galileo ?`` as a line of a table."""
    fine, _, text = line.strip().partition(" ")
    return "\t".join([fine.partition(":")[0], fine, text.replace("\t", " ")])


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Scores of text files are those of the sacrebleu command, alone and in its paired test."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sacrebleu
from running import hftoolkit
from sacrebleu.significance import PairedTest

from hftoolkit import score
from hftoolkit.errors import DataError, UsageError
from hftoolkit.metrics import translations

TEXTS = {
    "en": "the cat sat on a mat , and Then it slept . what ? 3.5 (on) don't ...",
    "zh": "猫 坐 在 垫子 上 。 然后 它 睡 着 了 , OK 3.5 “ ” ！",
}
WORDS = {language: text.split() for language, text in TEXTS.items()}


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def drawn(language: str, seed: int, rows: int) -> list[list[str]]:
    """Two systems and three references, which share many words."""
    draw = random.Random(f"{language}{seed}")  # noqa: S311
    joint = "" if language == "zh" else " "
    found: list[list[str]] = [[] for _ in range(5)]
    for _ in range(rows):
        base = [draw.choice(WORDS[language]) for _ in range(draw.randrange(0, 12))]
        for place, texts in enumerate(found):
            kept = [word for word in base if draw.random() > 0.1 * place] + draw.choices(WORDS[language], k=place % 3)
            texts.append(joint.join(kept or (["x"] if place > 1 else [])))
    return found


def files(folder: Path, language: str, seed: int = 1, rows: int = 30) -> list[Path]:
    return [written(folder / f"{number}.txt", texts) for number, texts in enumerate(drawn(language, seed, rows))]


def sacrebleu_command(language: str, references: list[Path], *arguments: Any) -> Any:
    asian = ["--ter-normalized", "--ter-asian-support"] if language == "zh" else []
    tokenizer = ["--tokenize", translations.bleu_tokenizer(language)]
    command = [sys.executable, "-m", "sacrebleu", *map(str, references), *tokenizer, *asian, "--force", "--width", "12"]
    command += ["--metrics", "bleu", "chrf", "ter", "--format", "json", *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("number", [1, 3])
def test_scores_and_signatures_are_those_of_the_sacrebleu_command(tmp_path: Path, language: str, number: int) -> None:
    output, _, *references = files(tmp_path, language)
    found = score(output, references[:number], target=language)
    theirs = sacrebleu_command(language, references[:number], "-i", output)
    assert [one.value for one in found.scores] == pytest.approx([one["score"] for one in theirs], abs=1e-9)
    assert [f"{one.name}|{one.signature}" for one in found.scores] == [
        f"{one['name']}|{one['signature']}" for one in theirs
    ]
    assert (found.rows, found.references) == (30, number)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("number", [1, 3])
def test_a_thousand_random_sets(tmp_path: Path, language: str, number: int) -> None:
    metrics = (translations.bleu(language), translations.chrf(), translations.ter(language))
    for seed in range(250):
        output, _, *references = drawn(language, seed, 1 + seed % 8)
        named = [written(tmp_path / f"{place}", texts) for place, texts in enumerate([output, *references[:number]])]
        found = score(named[0], named[1:], target=language)
        theirs = [metric.corpus_score(output, references[:number]) for metric in metrics]
        assert [one.value for one in found.scores] == pytest.approx([one.score for one in theirs], abs=1e-9)
        assert [one.signature for one in found.scores] == [str(metric.get_signature()) for metric in metrics]


def test_the_paired_test_is_that_of_sacrebleu(tmp_path: Path) -> None:
    better, worse, reference, *_ = files(tmp_path, "zh", rows=60)
    found = score(better, reference, target="zh", against=worse)
    assert found.other is not None
    assert found.changes is not None
    systems = [(str(path), path.read_text(encoding="utf-8").split("\n")[:-1]) for path in (worse, better)]
    texts = reference.read_text(encoding="utf-8").split("\n")[:-1]
    metrics = {"BLEU": translations.bleu("zh"), "chrF2": translations.chrf(), "TER": translations.ter("zh")}
    _, theirs = PairedTest(systems, metrics, [texts], test_type="bs", n_samples=1000)()
    for place, (one, change) in enumerate(zip(found.scores, found.changes, strict=True)):
        base, other = theirs[one.name]
        assert base.score == pytest.approx(found.other.scores[place].value, abs=1e-9)
        assert other.score == pytest.approx(one.value, abs=1e-9)
        assert other.p_value == pytest.approx(change.p, abs=1e-9)
        assert change.difference == pytest.approx(one.value - found.other.scores[place].value)


def test_what_a_terminal_shows(tmp_path: Path) -> None:
    output = written(tmp_path / "out", ["the cat sat on the mat", "a dog"])
    other = written(tmp_path / "other", ["the cat", "a dog"])
    reference = written(tmp_path / "ref", ["the cat sat on a mat", "a dog"])
    found = score(output, reference, target="en", against=other, explained=True)
    lines = str(found).splitlines()
    assert lines[0] == f"{output}  (2 rows, 1 reference)"
    assert lines[1].startswith("  BLEU    55.84  [")
    assert lines[1].endswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:" + sacrebleu.__version__)
    assert lines[2].startswith("         +55.84  [+0.0 to +55.8]")
    assert lines[2].endswith(f" against 0.00 of {other}")
    assert "   1        7        8     87.5 %" in lines
    assert "   brevity penalty 1.000: 8 tokens written, 8 in the references closest in length" in lines
    place = lines.index("of the references, not written:")
    assert lines[place + 1] == "   1  a (1)"
    assert lines[lines.index("written, in no reference:") + 1] == "   1  the (1)"


def test_from_the_shell(tmp_path: Path) -> None:
    output, other, *references = map(str, files(tmp_path, "zh"))
    outcome = hftoolkit("score", output, *references, "--to", "zh", "--against", other, "--explain")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == f"{score(output, references, target='zh', against=other, explained=True)}\n"
    told = json.loads(hftoolkit("score", output, *references, "--to", "zh", "--against", other, "--json").out)
    assert [one["name"] for one in told["scores"]] == ["BLEU", "chrF2", "TER"]
    assert list(told["changes"]) == ["BLEU", "chrF2", "TER"]
    assert hftoolkit("score", output, "--to", "zh").code == 2
    assert "Missing option '--to'" in hftoolkit("score", output, references[0]).err


def test_files_that_do_not_belong_together(tmp_path: Path) -> None:
    output, reference = written(tmp_path / "out", ["a", "b"]), written(tmp_path / "ref", ["a"])
    with pytest.raises(DataError) as caught:
        score(output, reference, target="en")
    assert str(caught.value) == (
        f"{output}: files need equally many lines: {output} has 2, {reference} has 1\n"
        "  line N of each must be the same row; an empty translation is an empty line"
    )
    empty = written(tmp_path / "empty", [])
    with pytest.raises(DataError, match="an empty file: there is nothing to score"):
        score(empty, empty, target="en")
    with pytest.raises(DataError) as caught:
        score(tmp_path / "missing", reference, target="en")
    assert str(caught.value) == f"{tmp_path / 'missing'}: no such file\n  names count from the current folder"
    (tmp_path / "old").write_bytes(b"caf\xe9\n")
    with pytest.raises(DataError) as caught:
        score(tmp_path / "old", reference, target="en")
    assert str(caught.value) == (
        f"{tmp_path / 'old'}: byte 4 (line 1): 0xE9 is not UTF-8 here\n  save it as UTF-8 first"
    )
    with pytest.raises(UsageError, match="'jp' is no language tag"):
        score(output, output, target="jp")
    with pytest.raises(UsageError, match="no file of references"):
        score(output, [], target="en")


def test_empty_lines_and_odd_line_ends_count_as_rows(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes("a\u2028b\r\n\r\nc\n".encode())
    (tmp_path / "ref").write_bytes(b"a b\nx\nc\n")
    assert score(tmp_path / "out", tmp_path / "ref", target="en").rows == 3


def test_no_ter_where_words_are_not_known(tmp_path: Path) -> None:
    output = written(tmp_path / "out", ["สวัสดี"])
    found = score(output, output, target="th")
    assert [one.name for one in found.scores] == ["BLEU", "chrF2"]
    assert found.notes == (
        "no TER of 'th', which has no blanks between words: sacrebleu would take a sentence for one",
    )

"""`hftoolkit translate`: lines in, lines out, everything else on the other stream."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from conftest import FORMAT, PAIRS
from running import TERMINAL, hftoolkit

from hftoolkit.cli.translate import translate
from hftoolkit.errors import OutputError
from hftoolkit.translating import open_translator

SOURCES = "".join(f"{source}\n" for source, _ in PAIRS)
TARGETS = "".join(f"{target}\n" for _, target in PAIRS)


@pytest.fixture(scope="module")
def cache(marian: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the tiny translator as the fast engine wants it."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HFTOOLKIT_CACHE", str(folder))
        patch.setattr("hftoolkit.engines.places.choose_format", lambda place: FORMAT)
        open_translator(str(marian))
    return folder


@pytest.fixture(autouse=True)
def _converted_before(_own_cache: None, one_format: None, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HFTOOLKIT_CACHE", str(cache))


def test_help() -> None:
    assert hftoolkit("translate", "--help").out == (
        "Usage: hftoolkit translate [OPTIONS] [TEXT]\n"
        "\n"
        "  Translate TEXT, a document, or standard input.\n"
        "\n"
        "  The translation goes to standard output, in the format of the document;\n"
        "  everything else to standard error. With --scores or --n-best the sentences\n"
        "  are listed, as JSON lines: in the --report, or in place of the translation.\n"
        "\n"
        "Options:\n"
        "  -f, --file FILE                 Translate this document.\n"
        "  -o, --output FILE               Write it here; left out: standard output.\n"
        "  --format FORMAT                 Left out: told by the name of the file, else\n"
        "                                  text.\n"
        "  --column COLUMN                 Of JSON Lines, CSV and TSV; may be repeated.\n"
        "  --all-entries                   Of PO, XLIFF and TMX: translated entries\n"
        "                                  too.\n"
        "  --model MODEL                   demo, hub id, folder, package:NAME/FOLDER or\n"
        "                                  adapter; left out: opus-mt of the languages.\n"
        "  --from LANGUAGE                 Left out: what the model says, else en.\n"
        "  --to LANGUAGE                   Such as zh-Hant; left out: what the model\n"
        "                                  says, else zh.\n"
        "  --beams NUMBER                  Left out: 4; 1 is greedy.  [x>=1]\n"
        "  --engine [auto|ctranslate2|torch|openai]\n"
        "                                  Left out: auto, the fast one (ctranslate2)\n"
        "                                  where it can; openai is a server.\n"
        "  --base-url URL                  Of the server; left out: Ollama on this\n"
        "                                  machine.\n"
        "  --system TEXT                   What the server's model is told; {source},\n"
        "                                  {target} are languages.\n"
        "  --concurrency NUMBER            Requests at once; left out: 4.  [x>=1]\n"
        "  --device DEVICE                 cpu, cuda, mps or a GPU's number; left out:\n"
        "                                  the best there is.\n"
        "  --glossary FILE                 Terms, tab, how they are translated.\n"
        "  --report FILE                   List here what looks wrong.\n"
        "  --scores                        List all sentences with scores, as JSON\n"
        "                                  lines.\n"
        "  --n-best NUMBER                 List so many for each.  [x>=1]\n"
        "  --resume                        Go on where an interrupted --output stopped.\n"
        "  --overwrite                     Replace --output and --report.\n"
        "  --endpoint URL                  Of a mirror of the hub; left out:\n"
        "                                  HF_ENDPOINT.\n"
        "  --offline                       Make no connection: use what is in the\n"
        "                                  cache.\n"
        "  --refresh                       Ask whether the hub has a newer copy.\n"
        "  -h, --help                      Show this message and exit.\n"
    )


def test_a_text(marian: Path) -> None:
    outcome = hftoolkit("translate", "--model", marian, "Good morning!")
    assert (outcome.code, outcome.out, outcome.err) == (0, "早上好！\n", "")


def test_a_file(marian: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text(SOURCES, encoding="utf-8")
    arguments = "translate", "--model", marian, "--engine", "torch"  # in 8 bits so tiny a model loses a word
    assert hftoolkit(*arguments, "--file", tmp_path / "letter.txt").out == TARGETS


def test_standard_input(marian: Path) -> None:
    arguments = "translate", "--model", marian, "--engine", "torch"
    assert hftoolkit(*arguments, stdin=SOURCES.encode()).out == TARGETS


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (b"", ""),
        (b"\n", "\n"),
        (b"Good night!", "晚安！"),
        (b"Good night!\r\n\r\nGood morning!\r\n", "晚安！\r\n\r\n早上好！\r\n"),
        (b"\xef\xbb\xbfGood night!\n", "\ufeff晚安！\n"),
        (b"  \nGood night!\n\t\n\n", "  \n晚安！\n\t\n\n"),
    ],
)
def test_one_line_comes_out_for_every_line(given: bytes, expected: str, marian: Path) -> None:
    assert hftoolkit("translate", "--model", marian, stdin=given).out == expected


@pytest.mark.parametrize("end", ["\x85", "\u2028", "\x0b", "\r"])
def test_only_a_line_feed_ends_a_line(end: str, marian: Path) -> None:
    outcome = hftoolkit("translate", "--model", marian, stdin=f"Good{end}night!\nGood morning!\n".encode())
    assert outcome.out.count("\n") == 2
    assert outcome.out.endswith("\n早上好！\n")


def test_a_text_of_several_lines(marian: Path) -> None:
    assert hftoolkit("translate", "--model", marian, "Good morning!\n\nGood night!").out == "早上好！\n\n晚安！\n"


def test_a_missing_file_is_told_before_a_model_is_loaded(tmp_path: Path) -> None:
    outcome = hftoolkit("translate", "--model", tmp_path / "no-model", "--file", tmp_path / "nowhere.txt")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == (
        f"error: {tmp_path}/nowhere.txt: cannot be read: No such file or directory\n  check the name of the file\n"
    )


def test_bytes_that_are_not_utf8_are_told_with_their_place(marian: Path, tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_bytes(b"Good night!\nCaf\xe9\n")
    outcome = hftoolkit("translate", "--model", marian, "--file", tmp_path / "old.txt")
    assert outcome.code == 1
    assert outcome.err == f"error: {tmp_path}/old.txt: line 2: byte 4 is not UTF-8\n  save the text as UTF-8 first\n"


def test_a_text_or_a_file(tmp_path: Path) -> None:
    outcome = hftoolkit("translate", "--file", tmp_path / "x", "Good night!")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "error: give a text or --file, not both\n  see:   hftoolkit translate --help\n"


def test_at_a_terminal_something_must_be_given() -> None:
    outcome = hftoolkit("translate", stdin=TERMINAL)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        'error: nothing to translate: give a text, as in: hftoolkit translate "Good morning!"\n'
        "  see:   hftoolkit translate --help\n"
    )


@pytest.mark.parametrize("device", ["cpu", "-1"])
def test_a_device_is_a_name_or_a_number(device: str, marian: Path) -> None:
    outcome = hftoolkit("translate", "--model", marian, "--device", device, "Good night!")
    assert (outcome.out, outcome.err) == ("晚安！\n", "")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--device", "tpu9"], 2, "unknown device 'tpu9'\n  use 'cpu', 'mps', 'cuda', or the number of a GPU\n"),
        (["--to", "jp"], 2, "'jp' is no language tag; did you mean 'ja'?\n"
            "  expected BCP 47, such as:  en, pt-BR, zh-Hans\n"),
        (["--to", "fr"], 1, "MODEL: this model translates to 'zh-Hans', not to 'fr'\n"
            "  leave --to out, or choose another model\n"),
        (["--n-best", "5"], 2, "--n-best 5 needs as many beams: give --beams 5\n"
            "  see:   hftoolkit translate --help\n"),
        (["--engine", "gpu"], 2, "Invalid value for '--engine': 'gpu' is not one of 'auto', 'ctranslate2', 'torch', "
            "'openai'.\n  see:   hftoolkit translate --help\n"),
        (["--output", "x"], 2, "--output is for a document: give its --file too\n"
            "  see:   hftoolkit translate --help\n"),
        (["--resume"], 2, "--resume is about --output: give that too\n"
            "  see:   hftoolkit translate --help\n"),
        (["--format", "docx"], 2, "no format 'docx'\n  the formats are: text, jsonl, csv, tsv, srt, vtt, markdown, "
            "html, po, xliff, tmx\n"),
        (["--beams", "0"], 2, "Invalid value for '--beams': 0 is not in the range x>=1.\n"
            "  see:   hftoolkit translate --help\n"),
    ],
)  # fmt: skip
def test_mistakes_are_told(arguments: list[str], code: int, message: str, marian: Path) -> None:
    outcome = hftoolkit("translate", "--model", marian, *arguments, "Good night!")
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.err == "error: " + message.replace("MODEL", str(marian))


def test_greedy_search(marian: Path) -> None:
    assert hftoolkit("translate", "--model", marian, "--beams", "1", "Good night!").out == "晚安！\n"


def test_a_full_disk_behind_standard_output_is_told(marian: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs a disk that is always full")
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "hftoolkit", "translate", "--model", str(marian), "Good morning!"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr.endswith(
        "error: standard output: cannot be written: No space left on device\n  free some space, or write elsewhere\n"
    )


def test_without_standard_input_there_is_nothing_to_translate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(click.UsageError, match=r"^nothing to translate: give a text"):
        translate.main([], standalone_mode=False)


def test_a_document(marian: Path, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>Good <b>night</b>!</p><pre>Good night!</pre>\n", encoding="utf-8")
    outcome = hftoolkit("translate", "--model", marian, "--file", tmp_path / "page.html", "-o", tmp_path / "new.html")
    assert (outcome.code, outcome.out) == (0, "")
    assert (tmp_path / "new.html").read_text(encoding="utf-8").endswith("</p><pre>Good night!</pre>\n")


def test_standard_input_of_another_format(marian: Path) -> None:
    cue = "1\n00:00:01,000 --> 00:00:02,000\n"
    outcome = hftoolkit("translate", "--model", marian, "--format", "srt", stdin=f"{cue}Good night!\n".encode())
    assert outcome.out == f"{cue}晚安！\n"


def test_sentences_are_listed_in_place_of_the_translation(marian: Path) -> None:
    outcome = hftoolkit("translate", "--model", marian, "--n-best", "2", "Good night! Good morning!")
    first, second = map(json.loads, outcome.out.splitlines())
    assert (first["where"], first["source"], first["translation"]) == ("line 1", "Good night!", "晚安！")
    assert second["alternatives"][0]["text"] == "早上好！"
    assert len(second["alternatives"]) == 2
    assert second["suspicious"] == []


def test_what_looks_wrong_is_counted_and_listed_where_it_is_wanted(marian: Path, tmp_path: Path) -> None:
    text = "Good night, number 4711!"
    outcome = hftoolkit("translate", "--model", marian, text)
    assert outcome.err == "note: 1 of 1 sentence looks wrong; --report FILE lists them\n"

    report = tmp_path / "flagged.jsonl"
    outcome = hftoolkit("translate", "--model", marian, "--report", report, text)
    assert outcome.err == f"note: 1 of 1 sentence looks wrong; see {report}\n"
    assert "number 4711 is lost" in json.loads(report.read_text(encoding="utf-8"))["suspicious"]


@pytest.mark.parametrize("option", ["--file", "--glossary"])
def test_what_is_read_is_not_written_over(option: str, tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Good night!\t晚安\n", encoding="utf-8")
    given = [] if option == "--file" else ["Good night!"]
    outcome = hftoolkit("translate", "--model", "none", option, path, "--report", path, "--overwrite", *given)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"error: {path}: would be written while it is read\n  choose another name for what is written\n"
    )
    assert path.read_text(encoding="utf-8") == "Good night!\t晚安\n"


def test_a_glossary(marian: Path, tmp_path: Path) -> None:
    (tmp_path / "terms.tsv").write_text("library\t书屋\n", encoding="utf-8")
    outcome = hftoolkit("translate", "--model", marian, "--glossary", tmp_path / "terms.tsv", "The library is open.")
    assert "书屋" in outcome.out


def test_neither_torch_nor_transformers_is_imported(marian: Path, cache: Path) -> None:
    code = (
        "import sys; sys.argv = ['hftoolkit', 'translate', '--model', sys.argv[1], 'Good night!']\n"
        f"from hftoolkit.engines import places; places.choose_format = lambda place: '{FORMAT}'\n"
        "from hftoolkit.cli.main import main\n"
        "main()\n"
        "print({'torch', 'transformers', 'datasets', 'peft', 'accelerate'} & sys.modules.keys(), file=sys.stderr)\n"
    )
    environment = os.environ | {"HFTOOLKIT_CACHE": str(cache), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(marian)], capture_output=True, encoding="utf-8", env=environment, check=True
    )
    assert (done.stdout, done.stderr) == ("晚安！\n", "set()\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--column", "en"],
            "--column is about jsonl, csv and tsv, and this document is text\n"
            "  leave it out, or name another format:  --format jsonl\n",
        ),
        (
            ["--all-entries", "--format", "csv"],
            "--all-entries is about po, xliff and tmx, and this document is csv\n"
            "  leave it out, or name another format:  --format po\n",
        ),
    ],
)
@pytest.mark.parametrize("given", ["text", "file"])
def test_what_a_format_does_not_have_is_not_chosen(
    arguments: list[str], message: str, given: str, tmp_path: Path
) -> None:
    (tmp_path / "letter.txt").write_text("Good night!", encoding="utf-8")
    what = ["Good night!"] if given == "text" else ["--file", str(tmp_path / "letter.txt")]
    outcome = hftoolkit("translate", "--model", "none", *arguments, *what)
    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"error: {message}")


def test_a_text_that_is_not_utf8_is_told(marian: Path) -> None:
    outcome = hftoolkit("translate", "--model", marian, "Caf\udce9")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == (
        "error: text: character 4 is '\\udce9', half of a character\n  decode the text in the encoding that it has\n"
    )


def test_a_closed_standard_output_is_told(marian: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError) as caught:
        translate.main(["--model", str(marian), "Good night!"], standalone_mode=False)
    assert str(caught.value) == (
        "standard output: is closed\n  open it, or write into a file:  --file FILE --output FILE"
    )

"""Every code block of the documentation is run, or read, as it stands; what cannot be is declared here, with why.

A document is a story: its blocks run in order, in one folder that has the files they speak of. Where they name a model
of the hub, that folder has a folder of this name, with a tiny model in it; so nothing in a block is replaced.
"""

import os
import re
import shlex
import shutil
import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from chat_server import ChatServer, serve
from conftest import PAIRS
from finder import write_finder
from running import Outcome, hftoolkit, write_pairs

from hftoolkit.errors import HubError
from hftoolkit.hub import refusals
from hftoolkit.hub.locking import Locked, LockedFile, check_locked
from hftoolkit.hub.settings import checked
from hftoolkit.recipe.reader import read_recipe, recipe_from
from hftoolkit.tasks import task_options

pytestmark = pytest.mark.usefixtures("no_pictures")

ROOT = Path(__file__).parent.parent
DOCUMENTS = [*sorted(ROOT.glob("README*.md")), ROOT / "recipes" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

TRANSLATED = [path for path in DOCUMENTS if path.name.endswith(".zh-CN.md")]
"""Into Chinese; ``X.zh-CN.md`` stands beside ``X.md``."""

MODELS = ["Helsinki-NLP/opus-mt-en-zh"]
"""Stands in for them: the tiny translator."""

WRITERS = ["HuggingFaceTB/SmolLM2-135M-Instruct"]
"""Stands in for them: the tiny Llama."""

READERS = ["distilbert/distilbert-base-cased-distilled-squad"]
"""Stands in for them: a tiny BERT that finds answers."""

SERVED = ["qwen2.5:3b"]
"""Models of a server; stands in for it where no address is named: one on this machine."""

TABLES = ["mine.tsv", "general.tsv", "test-mine.tsv", "test-general.tsv", "more.tsv", "train.tsv", "test.tsv"]
TEXTS = ["letter.txt", "out.txt", "other.txt", "reference.txt"]
DOCUMENTS_OF_THE_USER = {
    "page.html": "<p>Good <b>night</b>!</p>\n",
    "rows.csv": "id,question,answer\n1,Where is the library?,The library is open.\n",
    "locale/django.po": 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    'msgid "Good night!"\nmsgstr ""\n',
}
"""Files of the user, in English; the tables are English and Chinese."""

SHORTER = {"finetune quickstart": ["--set", "training.max_steps=2"]}
"""What takes minutes as it stands."""

DONE_BEFORE = {
    "python3 -m venv .venv",
    ".venv/bin/python -m pip install $(grep '^torch==' constraints.txt)",
    ".venv/bin/python -m pip install -c constraints.txt -e .",
}
"""Commands without which no test could run: they set up what runs it."""

FETCHED = {
    "python -m pip wheel -w wheels $(grep '^torch==' constraints.txt)",
    "python -m pip wheel -w wheels --find-links wheels -c constraints.txt .",
    "python -m venv .venv",
    ".venv/bin/python -m pip install --no-index --find-links wheels hftoolkit",
    "python -m pip config set global.index-url https://pypi.tuna.tsinghua.edu.cn/simple",
}
"""Commands of pip: they need its index, or change what belongs to the user."""

BEFORE = "# before"
"""Begins code of other people's notebooks. It needs transformers 4, the hub, or what stands above it there; that it is
Python is checked."""

TARGETS = {"make quickstart", "make test"}
"""Commands that would run this test, or what is run line by line above; that there is such a target is checked."""

READ_BY_PEOPLE = {"text"}
"""Languages of blocks that show something."""


@dataclass(frozen=True)
class Block:
    """A code block of a document."""

    line: int
    """Line of its first line of code, from 1."""

    language: str
    """What stands behind the fence; ``indented`` for a block without fence."""

    text: str


def blocks(text: str) -> Iterator[Block]:
    """The code blocks of a Markdown text: fenced, or indented by four blanks behind an empty line."""
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        if fence := re.match(r"( *)(```+)(\w*)\s*$", lines[number]):
            end = next((n for n in range(number + 1, len(lines)) if lines[n].strip() == fence[2]), None)
            assert end is not None, f"line {number + 1}: this block is not closed"
            body = [line.removeprefix(fence[1]) for line in lines[number + 1 : end]]
            yield Block(number + 2, fence[3], "\n".join(body) + "\n")
            number = end
        elif lines[number].startswith("    ") and (number == 0 or not lines[number - 1].strip()):
            end = next((n for n in range(number, len(lines)) if not lines[n].startswith("    ")), len(lines))
            yield Block(number + 1, "indented", "\n".join(line[4:] for line in lines[number:end]) + "\n")
            number = end
        number += 1


def test_blocks_are_found() -> None:
    text = (
        "a\n\n    make it\n    make more\n\n```bash\nls `x`\n\n```\n1. b\n\n   ````text\n   ```\n   ````\n\nc\n    d\n"
    )
    assert list(blocks(text)) == [
        Block(3, "indented", "make it\nmake more\n"),
        Block(7, "bash", "ls `x`\n\n"),
        Block(13, "text", "```\n"),
    ]


def test_a_block_without_end_is_an_error() -> None:
    with pytest.raises(AssertionError, match="line 1"):
        list(blocks("```bash\nls\n"))


def commands(block: Block) -> Iterator[tuple[str, str | None]]:
    """Commands of a shell block, each with the output that is shown below it, if any is."""
    if block.language != "console":
        lines = block.text.replace("\\\n", " ").splitlines()
        yield from ((line.strip(), None) for line in lines if line.strip() and not line.strip().startswith("#"))
        return
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command.strip(), output.strip() or None


def test_commands_are_told_from_their_output() -> None:
    assert list(commands(Block(1, "console", "$ one\n$ two 2\n2\n2\n"))) == [("one", None), ("two 2", "2\n2")]
    assert list(commands(Block(1, "bash", "# first\none \\\n  two\n\nthree\n"))) == [
        ("one    two", None),
        ("three", None),
    ]


def shell(command: str) -> Outcome:
    """Run a command of ours as a shell would: variables in front, a file instead of a stream."""
    split = shlex.shlex(command, posix=True, punctuation_chars="<>|&;")
    split.whitespace_split = True
    words = list(split)
    with pytest.MonkeyPatch.context() as patch:
        while re.fullmatch(r"[A-Z_]+=.*", words[0]):
            patch.setenv(*words.pop(0).split("=", 1))
        assert words[0] in ("hftoolkit", ".venv/bin/hftoolkit"), f"nothing here runs '{words[0]}': {command}"
        given, target = _taken(words, "<"), _taken(words, ">")
        assert not {"|", "&", "&&", ";"} & set(words), f"more than one command: {command}"
        shorter = SHORTER.get(" ".join(words[1:3]), [])
        outcome = hftoolkit(*words[1:], *shorter, stdin=Path(given).read_bytes() if given else b"")
    assert outcome.code == 0, f"{command}\n{outcome.err}"
    if target:
        Path(target).write_text(outcome.out, encoding="utf-8")
    return outcome


def _taken(words: list[str], sign: str) -> str:
    """Take a redirection out of a command."""
    if sign not in words:
        return ""
    place = words.index(sign)
    _, file = words[place : place + 2]
    del words[place : place + 2]
    return file


def run(command: str, output: str | None) -> None:
    """Run a command, or know why not."""
    if command in DONE_BEFORE | FETCHED:
        return
    if variable := re.fullmatch(r"export ([A-Z_]+)=(\S+)", command):
        os.environ[variable[1]] = variable[2]  # until the story ends
        return
    if command in TARGETS:
        assert re.search(rf"^{command.removeprefix('make ')}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        return
    outcome = shell(command)
    assert output is None or outcome.out.strip() == output


def run_yaml(text: str) -> None:
    """A whole recipe becomes recipe.yaml; a part of one must fit into one."""
    if re.search(r"^task:", text, re.MULTILINE):
        Path("recipe.yaml").write_text(text, encoding="utf-8")
        read_recipe("recipe.yaml", tasks=task_options())
        return
    from ruamel.yaml import YAML

    part = YAML(typ="safe", pure=True).load(text)
    whole = {
        "task": "translation",
        "model": {"scratch": {}},
        "data": {"train": {"source": "mine.tsv"}, "validation": {"split": 0.1}, "test": {"source": "test.tsv"}},
        "output": "runs/x",
    }
    data = whole["data"] | part.pop("data", {})  # type: ignore[operator]
    recipe_from({**whole, **part, "data": data}, tasks=task_options())


@pytest.fixture
def only_this_machine() -> Iterator[None]:
    """Every other one is out of reach, and asking for one is a failure."""
    here = ("localhost", "127.0.0.1", "::1", socket.gethostname(), None)
    asked: list[object] = []
    found = socket.getaddrinfo

    def look_up(host: Any, *more: Any, **settings: Any) -> Any:
        if host not in here:
            asked.append(host)
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return found(host, *more, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", look_up)
        yield
    assert asked == []


@pytest.fixture
def story(
    marian: Path,
    llama: Path,
    bert: Path,
    tmp_path: Path,
    only_this_machine: None,
    one_format: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """The folder of a user who follows a document."""
    monkeypatch.chdir(tmp_path)
    for variable in ("HF_ENDPOINT", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(variable, os.environ.get(variable, ""))  # documents may set them
    monkeypatch.setattr("hftoolkit.hub.builtin_folder", lambda: marian)
    for name in MODELS:
        shutil.copytree(marian, name)
    for name in WRITERS:
        shutil.copytree(llama, name)
    for name in READERS:
        write_finder(bert, Path(name))
    rows = [(f"{source} {number}", f"{target}{number}") for number in range(6) for source, target in PAIRS]
    for name in TABLES:
        write_pairs(Path(name), rows)
    for name in TEXTS:
        Path(name).write_text("".join(f"{source}\n" for source, _ in PAIRS), encoding="utf-8")
    for name, text in DOCUMENTS_OF_THE_USER.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    with serve(ChatServer(models=tuple(SERVED))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        yield tmp_path


@pytest.mark.usefixtures("story")
@pytest.mark.parametrize(
    "document",
    [path for path in DOCUMENTS if path not in TRANSLATED],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_every_block_runs(document: Path) -> None:
    """Those of a translation are the same, see `test_a_translation_runs_the_same`, and are run with them."""
    for block in blocks(document.read_text(encoding="utf-8")):
        where = f"{os.path.relpath(document, ROOT)}, line {block.line}"
        match block.language:
            case "bash" | "console" | "indented":
                for command, output in commands(block):
                    run(command, output)
            case "python" if block.text.startswith(BEFORE):
                compile(block.text, where, "exec")
            case "python":
                exec(compile(block.text, where, "exec"), {"__name__": "__main__"})  # noqa: S102
            case "yaml":
                run_yaml(block.text)
            case language:
                assert language in READ_BY_PEOPLE, f"{where}: nothing here runs a block of '{language}'"


def test_every_exception_is_needed() -> None:
    """What is declared above stands somewhere: an exception that outlived its reason would hide something."""
    text = "\n".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    said = {
        command
        for document in DOCUMENTS
        for block in blocks(document.read_text("utf-8"))
        for command, _ in commands(block)
    }
    assert said >= DONE_BEFORE | TARGETS | FETCHED
    assert f"```python\n{BEFORE}" in text
    recipes = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "recipes").glob("*.yaml"))
    names = [*MODELS, *WRITERS, *READERS, *SERVED, *TABLES, *TEXTS, *DOCUMENTS_OF_THE_USER]
    assert [name for name in names if name not in text + recipes] == []
    assert [key for key in SHORTER if key not in text] == []


def bare(document: Path) -> list[tuple[str, str]]:
    """Language and code of every block, without comments, which are written in the language of the document."""
    return [
        (block.language, re.sub(r"(^|\s+)#.*", "", block.text))
        for block in blocks(document.read_text(encoding="utf-8"))
    ]


def prose(document: Path) -> str:
    """What stands outside the blocks, as if links led to English pages, and without the line with both languages."""
    text = document.read_text(encoding="utf-8")
    for block in blocks(text):
        text = text.replace(f"```{block.language}\n{block.text}```", "")
    return re.sub(r"^.*\| .*简体中文.*$|\.zh-CN(?=\.md)|(?<=\.md)#[^)]+", "", text, flags=re.MULTILINE)


def english(document: Path) -> Path:
    """What a document is a translation of."""
    return document.with_name(document.name.replace(".zh-CN", ""))


def name_of(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", TRANSLATED, ids=name_of)
def test_a_translation_runs_the_same(document: Path) -> None:
    for original, translated in zip(bare(english(document)), bare(document), strict=True):
        assert translated == original


@pytest.mark.parametrize("document", TRANSLATED, ids=name_of)
@pytest.mark.parametrize(
    "pattern",
    [r"^#+(?= )", r"\]\(([^)]+)\)", r"(?<!`)(`+)(?!`)(?s:.+?)(?<!`)\1(?!`)", r"\d+(?:[.,]\d+)*"],
    ids=["levels of headings", "where links lead", "code within sentences", "numbers"],
)
def test_a_translation_says_the_same(document: Path, pattern: str) -> None:
    """As far as a machine sees it: whoever changes one of the two is told what the other one lacks."""
    original, translated = (
        Counter(" ".join(found[0].split()) for found in re.finditer(pattern, prose(one), re.MULTILINE))
        for one in (english(document), document)
    )
    assert {"missing in Chinese": original - translated, "missing in English": translated - original} == {
        "missing in Chinese": Counter(),
        "missing in English": Counter(),
    }


def test_every_document_for_users_is_translated() -> None:
    assert {english(document) for document in TRANSLATED} == {
        ROOT / "README.md",
        *(path for path in (ROOT / "docs").glob("*.md") if path not in TRANSLATED),
    }


def errors(folder: Path) -> Iterator[str]:
    """What the program says when a hub, or what came from one, is not as it should be."""
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError

    name, kind, at = "acme/model", "model", "https://hf-mirror.com"
    untrusted = ssl.SSLCertVerificationError()
    untrusted.verify_message = "self-signed certificate"
    for error in (socket.gaierror(), ConnectionRefusedError(), TimeoutError(), untrusted, refusals.NoHub()):
        yield refusals.unreachable(name, kind, at, str(refusals.reason(error, 3.5)))
    yield refusals.broken_off(name, at, "no answer by cdn.example, where it keeps this file")
    yield refusals.wrong(name, at, "model.safetensors has 1 bytes, the hub says 2")
    yield refusals.offline(name, kind, folder)
    for made, status in ((HfHubHTTPError, 429), (HfHubHTTPError, 404), (GatedRepoError, 403)):
        refused = made.__new__(made)
        refused.response = SimpleNamespace(
            status_code=status, reason_phrase=HTTPStatus(status).phrase, headers={"Retry-After": "600"}
        )
        yield refusals.refused(refused, name, "main", kind, at, [])
    (folder / "config.json").write_text("{}", encoding="utf-8")
    other = Locked(kind, name, "main", "0" * 40, {"config.json": LockedFile(2, "0" * 64)})
    for refuse in (lambda: checked("hf-mirror.com", "HF_ENDPOINT"), lambda: check_locked(other, folder, ["*.json"])):
        with pytest.raises(HubError) as caught:
            refuse()
        yield str(caught.value)


def test_errors_that_are_explained_are_those_of_the_program(tmp_path: Path) -> None:
    said = [error.partition("\n")[0] for error in errors(tmp_path)]
    table = (ROOT / "docs" / "mirrors.md").read_text(encoding="utf-8").partition("## Errors")[2].partition("\n## ")[0]
    shown = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    assert len(shown) == len(said) + 1  # one of them twice: by the endpoint, and by another host
    for line in shown:
        pattern = re.escape(line).replace(re.escape("..."), ".+")
        assert any(re.search(pattern, error) for error in said), line
    for error in said:
        assert any(re.search(re.escape(line).replace(re.escape("..."), ".+"), error) for line in shown), error

"""A document in, the same document translated out: resumable, watched, and what looks wrong listed."""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from hftoolkit.documents.reading import Document, open_document
from hftoolkit.documents.settings import Settings
from hftoolkit.documents.unfinished import Unfinished
from hftoolkit.errors import DataError, UsageError
from hftoolkit.sentencewise import Sentence
from hftoolkit.translating import Translator, Wishes

Listed = Callable[[Sentence], bool]
"""Whether a sentence is listed."""


@dataclass
class Tally:
    """How many sentences were translated."""

    sentences: int = 0

    suspicious: int = 0
    """Those that look wrong."""


def rendered(
    translator: Translator, document: Document, wishes: Wishes, listed: Listed, tally: Tally, *, skip: int = 0
) -> Iterator[tuple[bytes, bytes]]:
    """Translate a document: for every piece its bytes, and JSON lines about those of its sentences that are listed.

    Args:
        translator: What translates.
        document: What is translated.
        wishes: How.
        listed: Which sentences are listed.
        tally: Counts along.
        skip: Pieces at the beginning that are done.

    Raises:
        DataError: If the document cannot be read to its end, or a translation cannot be written in its encoding.
    """
    with _bar() as bar:
        for written, sentences in translator.render(islice(document.pieces, skip, None), wishes):
            tally.sentences += len(sentences)
            tally.suspicious += sum(bool(sentence.faults) for sentence in sentences)
            bar.update(len(sentences))
            lines = "".join(_line(sentence, wishes) for sentence in sentences if listed(sentence))
            yield b"".join(document.encoded([written])), lines.encode(errors="replace")


def translate_file(
    translator: Translator,
    source: Path,
    output: Path,
    wishes: Wishes,
    *,
    settings: Settings,
    format: str | None = None,
    report: Path | None = None,
    listed: Listed = lambda sentence: bool(sentence.faults),
    resume: bool = False,
    overwrite: bool = False,
) -> Tally:
    """Translate a file into another one of its format, which is complete or not there.

    Args:
        translator: What translates.
        source: The file.
        output: The file to write.
        wishes: How.
        settings: What of the file is translated.
        format: Name of its format; None: what its name tells.
        report: Where sentences are listed, as JSON lines; None: nowhere.
        listed: Which ones; left out, those that look wrong.
        resume: Go on where an interrupted writing of ``output`` stopped.
        overwrite: Replace ``output``.

    Raises:
        UsageError: If the file is of no format of ours, or would be overwritten by its own translation.
        DataError: If the file cannot be read.
        OutputError: If ``output`` cannot be written, or something is there already.
    """
    paths = [output] if report is None else [output, report]
    check_written(paths, [source])
    tally = Tally()
    with Unfinished(paths, _key(translator, source, wishes, settings), resume=resume, overwrite=overwrite) as files:
        document = open_document(source, settings, format)
        for written in rendered(translator, document, wishes, listed, tally, skip=files.pieces):
            files.write(written[: len(paths)])
    return tally


def check_written(written: Sequence[Path], read: Sequence[Path]) -> None:
    """Check that no file that is written is read too, or written twice.

    Raises:
        UsageError: If one is.
    """
    for number, path in enumerate(written):
        if any(_same(path, other) for other in read):
            raise UsageError(f"{path}: would be written while it is read\n  choose another name for what is written")
        if any(_same(path, other) for other in written[:number]):
            raise UsageError(f"{path}: would be written twice\n  choose two names")


def _same(one: Path, other: Path) -> bool:
    # Two names may be of one file where small letters and capitals are the same, too.
    return one.resolve() == other.resolve() or (one.exists() and other.exists() and one.samefile(other))


def reported(pieces: Iterator[tuple[bytes, bytes]], report: Path, *, overwrite: bool) -> Iterator[tuple[bytes, bytes]]:
    """Write the lists of sentences into a file as they go by; it is there when all are."""
    with Unfinished([report], "", overwrite=overwrite) as files:
        for piece in pieces:
            files.write(piece[1:])
            yield piece


def _line(sentence: Sentence, wishes: Wishes) -> str:
    """A sentence as JSON on one line."""
    found: dict[str, Any] = {
        "where": sentence.where,
        "source": sentence.source,
        "translation": sentence.translation,
        "score": _rounded(sentence.score),
        "suspicious": list(sentence.faults),
    }
    if wishes.alternatives > 1:
        found["alternatives"] = [{"text": one.text, "score": _rounded(one.score)} for one in sentence.alternatives]
    return json.dumps(found, ensure_ascii=False) + "\n"


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 4)


def _key(translator: Translator, source: Path, wishes: Wishes, settings: Settings) -> str:
    """Changes whenever the translation could."""
    try:
        with open(source, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{source}: cannot be read: {error.strerror}\n  check the name of the file") from error
    glossary = None if wishes.glossary is None else asdict(wishes.glossary)
    parts = (translator.name, translator.engine.signature, str(wishes.decoding), glossary, asdict(settings), content)
    return hashlib.sha256(repr(parts).encode(errors="replace")).hexdigest()


def _bar() -> Any:
    """Sentences per second on standard error, for people who watch."""
    from tqdm import tqdm

    return tqdm(unit=" sentences", unit_scale=True, disable=not sys.stderr.isatty(), mininterval=0.5, leave=False)

"""The files of a report in an output folder."""

import os
from pathlib import Path

from hftoolkit.errors import OutputError
from hftoolkit.reports import figures, html, markdown
from hftoolkit.reports.run import Report

CURVE = "training.png"


def write_report(report: Report, folder: Path) -> None:
    """Write report.md, report.html and the picture of the training; report.json last, for it says the run is complete.

    Every file is complete or not there.

    Args:
        report: The run.
        folder: The output folder; made if it is not there.

    Raises:
        OutputError: If the folder cannot be written.
    """
    drawn = figures.has_curve(report)
    files = {
        **({CURVE: figures.training_curve(report)} if drawn else {}),
        "report.md": _encoded(markdown.render(report, CURVE if drawn else "")),
        "report.html": _encoded(html.render(report)),
        "report.json": _encoded(report.to_json()),
    }
    for name, content in files.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder / name, content)
        except OSError as error:
            raise OutputError(
                f"{folder / name}: cannot write: {error.strerror or error}\n"
                "  make room or choose another folder:  --set output=FOLDER"
            ) from error


def read_report(folder: Path) -> Report:
    """The report of a finished run.

    Raises:
        DataError: If report.json is not a report.
        OutputError: If there is none.
    """
    path = folder / "report.json"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise OutputError(
            f"{path}: not there; a run is complete when it exists\n  finish the run:  hftoolkit finetune RECIPE"
        ) from error
    return Report.from_json(text)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", errors="replace")  # half a UTF-16 pair from broken data has no UTF-8


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")  # not tempfile: its files are closed to other users
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise

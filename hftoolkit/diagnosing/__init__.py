"""An installation looked at: what it stands on, what it computes with, what it reaches."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Final

from hftoolkit.diagnosing.diagnosis import Diagnosis, Finding, Section
from hftoolkit.diagnosing.loading import told
from hftoolkit.diagnosing.privacy import fit_to_paste
from hftoolkit.errors import HftoolkitError

_SECTIONS: Final = {
    "versions": ("libraries", "needed_libraries"),
    "optional parts": ("libraries", "optional_parts"),
    "machine": ("machine", "machine"),
    "folders": ("folders", "folders"),
    "environment": ("environment", "environment"),
    "hub": ("network", "network"),
}
"""The module and function of every section; loaded one by one, so that one that does not load takes none along."""


def doctor() -> Diagnosis:
    """Look at this installation and say what does not work, on a page that can be pasted into a report of a bug.

    Libraries are loaded and products of matrices timed; the hub is asked for the first bytes of a known model and data
    set, at most ten seconds long, unless ``HF_HUB_OFFLINE`` forbids it. No secret is on the page, and no path to the
    user's home.

    Returns:
        Everything found, whatever is broken: problems are in it, not raised.
    """
    return Diagnosis(tuple(_section(name, *where) for name, where in _SECTIONS.items()))


def _section(name: str, module: str, function: str) -> Section:
    findings: list[Finding] = []
    try:
        look: Callable[[], Iterator[Finding]] = getattr(import_module(f"hftoolkit.diagnosing.{module}"), function)
        for finding in look():
            findings.append(finding)
    except HftoolkitError as error:
        said, *advice = str(error).split("\n")
        findings.append(Finding(name, said, "problem", "\n".join(line.strip() for line in advice)))
    except Exception as error:  # installations break in ways that nobody has listed, and then the page is wanted most
        findings.append(Finding(name, f"cannot be looked at: {told(error)}", "problem"))
    return Section(name, tuple(map(_fit_to_paste, findings)))


def _fit_to_paste(finding: Finding) -> Finding:
    return Finding(finding.name, fit_to_paste(finding.text), finding.state, fit_to_paste(finding.advice))

"""A progress bar for people who watch: loss, tokens per second, padding share, time left."""

import logging
import sys
from collections.abc import Iterable, Iterator

from tqdm.auto import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from hftoolkit.training.loop import Step


def watched(steps: Iterable[Step], *, first: int, total: int, shown: bool) -> Iterator[Step]:
    """Draw a bar on standard error (or in the notebook) while steps pass through; into a file or pipe none is drawn.

    Args:
        steps: The running loop.
        first: Steps done before, in a resumed run.
        total: Steps of the whole run.
        shown: False in all processes but one.
    """
    drawn = shown and _somebody_watches()
    logger = logging.getLogger("hftoolkit")
    with (
        tqdm(total=total, initial=first, unit="step", disable=not drawn, mininterval=0.5, dynamic_ncols=True) as bar,
        logging_redirect_tqdm([logger] if drawn else []),  # what is said meanwhile goes above the bar
    ):
        smooth: float | None = None
        tokens = seconds = 0.0
        for step in steps:
            smooth = step.loss if smooth is None else 0.95 * smooth + 0.05 * step.loss
            tokens += step.tokens
            seconds += step.seconds
            bar.set_postfix_str(
                f"loss {smooth:.3f}, {tokens / max(seconds, 1e-9):,.0f} tokens/s, padding {step.padding:.0%}",
                refresh=False,
            )
            bar.update()
            yield step


def _somebody_watches() -> bool:
    return sys.stderr.isatty() or "ipykernel" in sys.modules

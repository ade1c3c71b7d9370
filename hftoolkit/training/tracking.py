"""Trackers such as TensorBoard, which get a run's steps and scores beside its own log, through Accelerate."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from accelerate.tracking import get_available_trackers

from hftoolkit.errors import UsageError
from hftoolkit.training.loop import Step

PROJECT = "hftoolkit"
"""Under which trackers file a run."""

_PACKAGES = {"aim": "'aim<4'", "comet_ml": "comet-ml", "tensorboard": "'hftoolkit[tracking]'"}
"""What pip installs, where it is not the tracker's name."""


def require_trackers(names: Sequence[str]) -> None:
    """Check that trackers are installed; Accelerate would go on without them.

    Raises:
        UsageError: If one is not.
    """
    missing = sorted(set(names) - {str(known) for known in get_available_trackers()})
    if missing:
        packages = " ".join(_PACKAGES.get(name, name) for name in missing)
        raise UsageError(
            f"tracking: not installed here: {', '.join(missing)}\n"
            f"  install what is missing:   pip install {packages}\n"
            "  or go without:             --set tracking=[]"
        )


def start_tracking(accelerator: Accelerator, *, step: int) -> None:
    """Open the trackers that the accelerator was made with; for its main process alone.

    Args:
        accelerator: Made with ``log_with``, and ``project_dir`` for what they write.
        step: Steps done: what TensorBoard was told of later ones before an interruption is taken back.
    """
    if not accelerator.log_with:
        return
    folder = Path(accelerator.project_dir).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    settings: dict[str, dict[str, Any]] = {
        "tensorboard": {"purge_step": step + 1 if step else 0},
        # Left to themselves they write into the current folder.
        "dvclive": {
            "dir": str(folder / "dvclive"),
            "resume": bool(step),
            "dvcyaml": None,
            "save_dvc_exp": False,
        },
        "swanlab": {"logdir": str(folder / "swanlab"), "experiment_name": folder.parent.name},
        "wandb": {"dir": str(folder), "name": folder.parent.name},
    }
    try:
        accelerator.init_trackers(PROJECT, init_kwargs=settings)
    except BaseException as error:
        accelerator.trackers.clear()  # one that did not start cannot be closed, and would hide why it did not
        if not isinstance(error, Exception):
            raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UsageError(
            f"tracking: {' '.join(map(str, accelerator.log_with))} did not start: {reason}\n"
            "  log in to it or set it up, or go without:   --set tracking=[]"
        ) from error


def track_step(accelerator: Accelerator, step: Step) -> None:
    """Tell the trackers what a step did."""
    values = {"loss": step.loss, "learning_rate": step.learning_rate, "gradient_norm": step.gradient_norm}
    track(accelerator, "train", step.number, {**values, "tokens_per_second": step.tokens / step.seconds})


def track(accelerator: Accelerator, group: str, step: int, values: Mapping[str, float]) -> None:
    """Tell the trackers some values, named ``group/name``; where none is open, nothing happens."""
    accelerator.log({f"{group}/{name}": value for name, value in values.items()}, step=step)


@contextmanager
def closing_trackers(accelerator: Accelerator) -> Iterator[None]:
    """Close the trackers at the end, come what may; ``end_training`` would take the other processes down too."""
    try:
        yield
    finally:
        for tracker in accelerator.trackers:
            tracker.finish()
        accelerator.trackers.clear()

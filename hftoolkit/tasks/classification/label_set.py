"""The labels of a task: their names, their order, how frequent they are."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.rows import Rows
from hftoolkit.data.sources.reading import BadRows
from hftoolkit.errors import DataError
from hftoolkit.reports.wording import counted
from hftoolkit.tasks.base import Row
from hftoolkit.tasks.classification.options import Options

_TOLD, _LISTED = 8, 100
"""Labels that a note names, and an error."""


class LabelSet:
    """Labels, in the model's order.

    Args:
        options: The recipe's.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self.names: list[str] = []
        self.places: dict[str, int] = {}
        """Number of every label, from 0."""
        self.shares: list[float] = []
        """Share of the training rows with every label."""
        self.trivial_name = "the most frequent label"

    def learn(self, rows: Rows, labels_of: Callable[[Row], list[str]], fewest: int) -> list[str]:
        """Find the labels of training rows.

        Args:
            rows: Training rows.
            labels_of: Their labels.
            fewest: So many different ones there must be.

        Returns:
            What they are.

        Raises:
            DataError: If they are too few, or not those that the recipe names.
        """
        known = self._options.label_names
        times: dict[str, int] = {}
        unnamed = BadRows("a label is a number from 0, or a name in options.label_names")
        for number, row in enumerate(rows):
            for label in labels_of(row):
                if known and label not in known:
                    unnamed.add(rows.places([number])[0], f"'{label:.60}' is none of the {len(known)} labels")
                times[label] = times.get(label, 0) + 1
        unnamed.check()
        if len(times) < fewest:
            found = f"the label '{next(iter(times))}'" if times else "no label"
            raise DataError(
                f"data.train: all {len(rows):,} rows have {found}: there is nothing to learn\n"
                "  look at data.train.columns, or add rows with other labels"
            )
        self._check_weights(times)
        self._set(known or sorted(times, key=_order))
        self.shares = [times.get(label, 0) / len(rows) for label in self.names]
        frequent = sorted(times, key=lambda label: (-times[label], self.places[label]))
        self.trivial_name = f"the most frequent label, '{frequent[0]}'"
        told = ", ".join(f"{label} {times[label]:,}" for label in frequent[:_TOLD])
        more = f" and {len(frequent) - _TOLD} more" if len(frequent) > _TOLD else ""
        return [f"{counted(len(self.names), 'label')}: {told}{more}"]

    def named(self, label: str) -> str:
        """The name of a label that a row may have as a number."""
        names = self._options.label_names
        if label in names or not label.isdecimal() or int(label) >= len(names):
            return label
        return names[int(label)]

    def known_to(self, config: Any) -> bool:
        """Whether a checkpoint has an output for each."""
        return set(self.names) <= set(config.label2id)

    def settings(self) -> dict[str, Any]:
        """The names as a configuration says them."""
        return {"id2label": dict(enumerate(self.names)), "label2id": dict(self.places)}

    def take(self, config: Any) -> None:
        """Put the labels into the order of a checkpoint, which may know more of them."""
        shares = dict(zip(self.names, self.shares, strict=False))
        self._set([config.id2label[number] for number in range(config.num_labels)])
        self.shares = [shares.get(label, 0.0) for label in self.names]

    def weights(self, balanced: Callable[[float], float]) -> list[float] | None:
        """What every label counts in the loss; None where all count 1.

        Args:
            balanced: From the share of rows with a label to its weight, where the recipe leaves it to us.
        """
        given = self._options.class_weights
        if isinstance(given, Mapping):
            return [given.get(label, 1.0) for label in self.names]
        return None if given == "none" else [balanced(share) if 0 < share < 1 else 1.0 for share in self.shares]

    def ranked(self, scores: NDArray[np.floating[Any]], number: int) -> list[dict[str, Any]]:
        """The labels with the highest scores, those first; ``scores`` ``[L]``."""
        places = np.argsort(-scores, kind="stable")[:number]
        return [{"label": self.names[place], "score": float(scores[place])} for place in places]

    def _set(self, names: list[str]) -> None:
        self.names = list(names)
        self.places = {label: place for place, label in enumerate(self.names)}

    def _check_weights(self, times: Mapping[str, int]) -> None:
        given = self._options.class_weights
        strange = [label for label in given if label not in times] if isinstance(given, Mapping) else []
        if strange:
            raise DataError(
                f"options.class_weights: no training row has the label '{strange[0]}'\n"
                f"  the labels are: {', '.join(sorted(times, key=_order)[:_LISTED])}"
            )


def _order(label: str) -> tuple[bool, int, str]:
    """Numbers by their size, in front of names."""
    return not label.isdecimal(), int(label) if label.isdecimal() else 0, label

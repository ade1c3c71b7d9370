"""Which rows are seen in which step: deterministic batches by token budget and length.

Rows of similar length share a step, so that little padding is computed; the order within a length and the order of the
steps are shuffled anew in every epoch. Packed rows need no order but a random one. The plan depends on the seed and the
data alone: not on the number of processes or micro-batches, and never on a random state. Resuming is starting at a
later step.
"""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class MicroBatch:
    """Rows that go through the model together."""

    rows: Numbers
    """Numbers of the features."""

    counted: bool
    """False for a stand-in that keeps processes in step where a batch has fewer rows than pieces."""


@dataclass(frozen=True)
class PlannedStep:
    """What one process computes in one optimizer step."""

    number: int
    """From 0 over all epochs."""

    epoch: int
    """From 0."""

    last_of_epoch: bool

    micro_batches: tuple[MicroBatch, ...]


@dataclass(frozen=True)
class Plan:
    """The steps of a run.

    Args:
        lengths: Tokens of every feature, one column per side that is padded on its own; shape ``[N, sides]``.
        sources: For every feature the number of the source it is from; shape ``[N]``.
        weights: For every source the share of its rows seen per epoch; above 1, rows are seen several times.
        batch_tokens: Tokens of a step, all sides together, padding included. A row longer than that is a step alone.
        packed: Whether rows are laid one behind the other: then their tokens count, without padding.
        epochs: Passes over the data.
        max_steps: Steps after which the plan ends, or None.
        seed: Everything random follows from it.
    """

    lengths: NDArray[np.int32]
    sources: NDArray[np.uint16]
    weights: Sequence[float]
    batch_tokens: int
    epochs: int
    max_steps: int | None = None
    seed: int = 1
    packed: bool = False

    @cached_property
    def steps_per_epoch(self) -> tuple[int, ...]:
        """Optimizer steps of every epoch that is begun."""
        # Whole passes hold the same lengths in the same order in every epoch, and so the same cuts.
        whole = not self.packed and all(weight % 1 == 0 for weight in self.weights)
        counts: list[int] = []
        left = sys.maxsize if self.max_steps is None else self.max_steps
        for epoch in range(self.epochs):
            size = counts[0] if whole and counts else len(self._cuts(self._order(epoch)))
            counts.append(min(size, left))
            left -= counts[-1]
            if not left:
                break
        return tuple(counts)

    @property
    def total(self) -> int:
        """Optimizer steps of the whole plan."""
        return sum(self.steps_per_epoch)

    def steps(
        self, first: int = 0, *, process: int = 0, processes: int = 1, micro_batches: int = 1
    ) -> Iterator[PlannedStep]:
        """The steps from number ``first`` on, as one process sees them.

        Args:
            first: Number of the first step wanted, from 0.
            process: This process, from 0.
            processes: Processes that share every step.
            micro_batches: Pieces in which each process computes its share, if it has so many rows.
        """
        begin = 0
        for epoch, size in enumerate(self.steps_per_epoch):
            if first < begin + size:
                batches = self.epoch(epoch)
                for offset in range(max(first - begin, 0), size):
                    # More pieces than rows would be stand-ins alone, each computed for nothing.
                    parts = min(micro_batches, math.ceil(len(batches[offset]) / processes))
                    pieces = self._pieces(batches[offset], processes * parts)[process::processes]
                    yield PlannedStep(
                        number=begin + offset,
                        epoch=epoch,
                        last_of_epoch=offset == size - 1,
                        micro_batches=tuple(
                            MicroBatch(piece, True) if len(piece) else MicroBatch(batches[offset][:1], False)
                            for piece in pieces
                        ),
                    )
            begin += size

    def epoch(self, number: int) -> list[Numbers]:
        """The batches of one epoch, in the order in which they are seen."""
        order = self._order(number)
        batches = np.split(order, self._cuts(order)[1:])
        shuffled = np.random.default_rng([self.seed, number, 1]).permutation(len(batches))
        return [batches[place] for place in shuffled]

    def _order(self, epoch: int) -> Numbers:
        """This epoch's rows, sorted by length unless they are packed, those of one length shuffled."""
        rows = np.concatenate([self._drawn(source, epoch) for source in range(len(self.weights))])
        np.random.default_rng([self.seed, epoch, 0]).shuffle(rows)
        return rows if self.packed else rows[np.lexsort(self.lengths[rows].T[::-1])]

    def _pieces(self, batch: Numbers, number: int) -> list[Numbers]:
        """A batch in so many pieces: of equally many rows, or where those are packed of about as many tokens."""
        if not self.packed:
            return np.array_split(batch, number)
        lengths = self.lengths[batch].sum(axis=1, dtype=np.int64)
        middles = lengths.cumsum() - lengths / 2
        return np.split(batch, np.searchsorted(middles, lengths.sum() * np.arange(1, number) / number))

    def _drawn(self, source: int, epoch: int) -> Numbers:
        """Rows of one source in one epoch: the next stretch of an endless row of shuffled passes."""
        rows = np.flatnonzero(self.sources == source)
        if not len(rows):
            return rows
        wanted = max(1, round(self.weights[source] * len(rows)))
        begin, end = epoch * wanted, (epoch + 1) * wanted
        passes = [
            np.random.default_rng([self.seed, source, number, 2]).permutation(rows)
            for number in range(begin // len(rows), (end - 1) // len(rows) + 1)
        ]
        offset = begin % len(rows)
        return np.concatenate(passes)[offset : offset + wanted]

    def _cuts(self, order: Numbers) -> list[int]:
        """Places in ``order`` at which a batch begins."""
        return self._packed_cuts(order) if self.packed else self._padded_cuts(order)

    def _packed_cuts(self, order: Numbers) -> list[int]:
        ends = self.lengths[order].sum(axis=1, dtype=np.int64).cumsum()
        cuts: list[int] = []
        place = 0
        while place < len(order):
            cuts.append(place)
            before = int(ends[place - 1]) if place else 0
            place = max(place + 1, int(np.searchsorted(ends, before + self.batch_tokens, side="right")))
        return cuts

    def _padded_cuts(self, order: Numbers) -> list[int]:
        sides = [side.tolist() for side in self.lengths[order].T]
        cuts = [0] if len(order) else []
        longest = [0] * len(sides)
        begin = 0
        for place in range(len(order)):
            grown = [max(most, side[place]) for most, side in zip(longest, sides, strict=True)]
            if place > begin and sum(grown) * (place - begin + 1) > self.batch_tokens:
                cuts.append(place)
                begin = place
                grown = [side[place] for side in sides]
            longest = grown
        return cuts

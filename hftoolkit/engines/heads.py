"""Models that answer for every token or text at once: rows through the head as they come, sorted by length."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import torch

from hftoolkit.data.padding import model_inputs
from hftoolkit.engines.batches import token_batches
from hftoolkit.models.positions import positions

WINDOW = 2048
"""Features sorted by length together: memory stays the same for any number of rows."""

CHUNK = 64
"""Rows encoded at once."""

CPU_TOKENS, GPU_TOKENS = 1024, 32768
"""Tokens at once."""

Row = TypeVar("Row")
Kept = TypeVar("Kept")
Feature = Mapping[str, list[int]]


class HeadEngine:
    """A model with a head, which answers without writing text.

    Args:
        model: A transformers model; used in evaluation mode, in inference mode.
        tokenizer: Its tokenizer.
        batch_tokens: Tokens at once, padding included; None: what suits the device.
        precision: ``float32``, or ``bf16`` for products in bfloat16.
    """

    def __init__(
        self, model: Any, tokenizer: Any, *, batch_tokens: int | None = None, precision: str = "float32"
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.batch_tokens = batch_tokens or (CPU_TOKENS if model.device.type == "cpu" else GPU_TOKENS)
        self.precision = precision
        self.limit = positions(model)
        """Tokens of the longest feature."""
        self.cut = 0
        """Rows so far of which something had to be left out."""
        self.cut_part: tuple[str, int] | None = None
        """As `Task.cut_part`."""

    @property
    def signature(self) -> str:
        """Engine and number format."""
        return f"torch|{self.precision}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be said about everything read so far."""
        return (self.cut_note(self.cut),) if self.cut else ()

    def cut_note(self, cut: int) -> str:
        """What should be said when something of so many rows was left out."""
        part, tokens = self.cut_part or ("row", self.limit)
        count = f"1 {part} is" if cut == 1 else f"{cut:,} {part}s are"
        most = f"{tokens:,}" if self.cut_part else f"the model's {tokens:,}"
        return f"{count} longer than {most} tokens and {'was' if cut == 1 else 'were'} cut"

    def run(
        self,
        rows: Iterable[Row],
        encode: Callable[[Sequence[Row]], Sequence[Sequence[Feature]]],
        keep: Callable[[Any, list[int]], Sequence[Kept]],
        forward: Callable[[Any, Sequence[Feature]], Any] | None = None,
        *,
        batch_rows: int | None = None,
    ) -> Iterator[tuple[Row, Sequence[Feature], list[Kept]]]:
        """Run the model over rows, in order and in constant memory.

        Args:
            rows: Anything.
            encode: Features of some rows, none, one or several each; none longer than `limit`.
            keep: What is kept of the output for a batch, one small thing for every feature in it; it is given the
                model's output, on the model's device, and the features' lengths.
            forward: What is run in the place of the model, given its inputs and the features: where most of the output
                would not be looked at.
            batch_rows: Features at once at most; None: as many as ``batch_tokens`` holds.

        Returns:
            Every row with its features and what was kept of each.
        """
        stream = iter(rows)
        waiting: list[tuple[Row, Sequence[Feature]]] = []
        while chunk := list(islice(stream, CHUNK)):
            waiting += zip(chunk, encode(chunk), strict=True)
            if sum(len(features) for _, features in waiting) >= WINDOW:
                yield from self._window(waiting, keep, forward, batch_rows)
                waiting = []
        yield from self._window(waiting, keep, forward, batch_rows)

    def _window(
        self,
        window: Sequence[tuple[Row, Sequence[Feature]]],
        keep: Callable[[Any, list[int]], Sequence[Kept]],
        forward: Callable[[Any, Sequence[Feature]], Any] | None,
        batch_rows: int | None,
    ) -> Iterator[tuple[Row, Sequence[Feature], list[Kept]]]:
        flat = [feature for _, features in window for feature in features]
        self.cut += sum(any("cut" in feature for feature in features) for _, features in window)
        lengths = [len(feature["input_ids"]) for feature in flat]
        found: dict[int, Kept] = {}
        for places in token_batches(lengths, self.batch_tokens, batch_rows):
            found |= zip(places, self._batch([flat[place] for place in places], keep, forward), strict=True)
        kept = (found[place] for place in range(len(flat)))
        for row, features in window:
            yield row, features, list(islice(kept, len(features)))

    @torch.inference_mode()
    def _batch(
        self,
        features: Sequence[Feature],
        keep: Callable[[Any, list[int]], Sequence[Kept]],
        forward: Callable[[Any, Sequence[Feature]], Any] | None,
    ) -> Sequence[Kept]:
        self.model.eval()
        device = self.model.device
        tables = model_inputs(features, self.tokenizer.pad_token_id or 0)
        inputs = {name: torch.from_numpy(table).to(device) for name, table in tables.items()}
        with torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            output = forward(inputs, features) if forward else self.model(**inputs)
        return keep(output, [len(feature["input_ids"]) for feature in features])

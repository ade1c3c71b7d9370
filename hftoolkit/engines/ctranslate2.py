"""The fast engine: CTranslate2 on a converted checkpoint, with neither torch nor transformers."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import ctranslate2

from hftoolkit.engines.base import Hypothesis, check_n_best, cut_note
from hftoolkit.engines.batches import token_batches, windows
from hftoolkit.engines.decoding import Decoding
from hftoolkit.engines.places import CPU, Place, threads
from hftoolkit.engines.searching import STEP, Search, search_of
from hftoolkit.models.marian_tokenizer import MarianTokenizer

WINDOW = 4096
"""Rows sorted by length together: memory stays the same for any number of rows."""

CPU_TOKENS, GPU_TOKENS = 2048, 16384
"""Source tokens at once: a small model gains little from more, one of opus-mt's size is a quarter slower with 4,096
(the sweeps in benchmarks/results/translate-demo.json and translate-random.json)."""

PROBABILITIES = 1 << 26
"""What a step computes at most, of all rows, beams and entries of the vocabulary: a quarter of a GiB."""

SCORED_TOKENS = 256
"""The same where outputs are scored: probabilities of the whole vocabulary are kept for every token."""

T = TypeVar("T")


class Written(NamedTuple):
    """An output."""

    ids: list[int]
    """The tokenizer's numbers, without start and end."""

    score: float | None
    """Mean log-probability of its tokens, where the search knows it."""


@dataclass(frozen=True)
class Window:
    """Rows that are sorted by length together."""

    size: int
    answers: dict[int, Any]
    """What was made of the rows, by their places."""


@dataclass(frozen=True)
class Batch:
    """Rows that are translated together."""

    window: Window
    places: list[int]
    """Where they stand in their window."""

    ids: list[list[int]]
    """Their numbers, the end token's last."""


class CTranslate2Engine:
    """A converted model that writes texts for sources; for an empty one CTranslate2 writes nothing, unasked.

    Args:
        folder: The converted model; the entries of its vocabulary are the tokenizer's numbers.
        tokenizer: The tokenizer of the checkpoint.
        positions: Tokens that the model can read or write at most.
        compute_type: Number format, as CTranslate2 names it.
        place: Where it runs.
        batch_tokens: Source tokens at once, padding included; None: what suits the device.
    """

    def __init__(
        self,
        folder: Path,
        tokenizer: MarianTokenizer,
        *,
        positions: int,
        compute_type: str,
        place: Place = CPU,
        batch_tokens: int | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.positions = positions
        self.batch_tokens = batch_tokens or (CPU_TOKENS if place.device == "cpu" else GPU_TOKENS)
        self.truncated = 0
        """Sources cut because the model has no more positions."""

        self._folder, self._compute_type, self._place = folder, compute_type, place
        self._threads = threads() if place.device == "cpu" else 1
        self._workers = 1
        self._translator = self._opened()

    def _opened(self) -> Any:
        return ctranslate2.Translator(
            str(self._folder),
            self._place.device,
            device_index=self._place.index,
            compute_type=self._compute_type,
            inter_threads=self._workers,
            intra_threads=self._threads // self._workers,
        )

    @property
    def longest(self) -> int | None:
        """Tokens of a source at most."""
        return self.positions

    @property
    def signature(self) -> str:
        """Engine and number format."""
        return f"ctranslate2|{self._translator.compute_type}"

    def cut_note(self, cut: int) -> str:
        """What should be said when so many sources were cut."""
        return cut_note(cut, self.positions)

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be said about everything read so far."""
        return (self.cut_note(self.truncated),) if self.truncated else ()

    def tokens(self, source: str) -> int:
        """Length of a source in tokens, the end token counted."""
        return len(self.tokenizer.encode(source))

    def generate(
        self, sources: Iterable[str], decoding: Decoding, *, batch_rows: int | None = None, **settings: Any
    ) -> Iterator[str]:
        """Write a text for every source, in order.

        Args:
            sources: Texts, with their target token.
            decoding: How to choose the output.
            batch_rows: Rows at once at most; None: as many as ``batch_tokens`` holds.
            settings: Further generation settings by the names that transformers has for them.

        Raises:
            UsageError: If CTranslate2 cannot do exactly what a setting asks for.
        """
        search = search_of(decoding, settings)

        def texts(batch: Batch, rows: list[list[Written]]) -> list[str]:
            return [self.tokenizer.decode(row[0].ids) for row in rows]

        return self._stream(sources, search, texts, batch_rows)

    def hypotheses(self, sources: Iterable[str], decoding: Decoding, *, n_best: int = 1) -> Iterator[list[Hypothesis]]:
        """Write the best texts for every source, in order.

        Args:
            sources: Texts, with their target token.
            decoding: How to choose the output.
            n_best: Texts for every source, the search's best first.

        Raises:
            UsageError: If there are fewer beams than texts wanted.
        """
        check_n_best(n_best, decoding)
        search = search_of(decoding, {})
        options = {**search.options, "num_hypotheses": n_best, "return_scores": True}
        return self._stream(sources, replace(search, options=options), self._scored)

    def outputs(self, sources: Iterable[str], decoding: Decoding) -> Iterator[list[int]]:
        """Write an output for every source, in order, as the tokenizer's numbers without start and end."""

        def best(batch: Batch, rows: list[list[Written]]) -> list[list[int]]:
            return [row[0].ids for row in rows]

        return self._stream(sources, search_of(decoding, {}), best)

    def _stream(
        self,
        sources: Iterable[str],
        search: Search,
        finish: Callable[[Batch, list[list[Written]]], list[T]],
        batch_rows: int | None = None,
    ) -> Iterator[T]:
        """What ``finish`` makes of the outputs of every batch, in the order of the sources.

        While some batches are translated the next ones are prepared, those of the next window too. Few are ahead, so
        that an interruption does not wait for long.
        """
        open_windows: deque[Window] = deque()
        started: deque[tuple[Batch, list[Any]]] = deque()

        def finished() -> Iterator[T]:
            batch, results = started.popleft()
            rows = [self._written(ids, result.result(), search) for ids, result in zip(batch.ids, results, strict=True)]
            batch.window.answers.update(zip(batch.places, finish(batch, rows), strict=True))
            while open_windows and len(open_windows[0].answers) == open_windows[0].size:
                window = open_windows.popleft()
                yield from (window.answers[place] for place in range(window.size))

        rows = max(1, PROBABILITIES // (len(self.tokenizer.vocabulary) * search.options["beam_size"]))
        for batch in self._batches(sources, min(rows, batch_rows or rows)):
            if not open_windows or open_windows[-1] is not batch.window:
                open_windows.append(batch.window)
            started.append((batch, self._start(batch, search)))
            while len(started) > 2 * self._workers:
                yield from finished()
        while started:
            yield from finished()

    def _batches(self, sources: Iterable[str], most_rows: int) -> Iterator[Batch]:
        for texts in windows(sources, WINDOW):
            ids = [self._encode(text) for text in texts]
            self._staff(len(ids))
            window = Window(len(ids), {})
            lengths = [*map(len, ids)]
            budget = min(self.batch_tokens, -(-sum(lengths) // self._workers))  # little work goes to all workers too
            for places in token_batches(lengths, budget, most_rows, step=STEP):
                yield Batch(window, places, [ids[place] for place in places])

    def _encode(self, source: str) -> list[int]:
        ids = self.tokenizer.encode(source)
        if len(ids) <= self.positions:
            return ids
        self.truncated += 1
        return ids[: self.positions - 1] + ids[-1:]  # the end token stays

    def _staff(self, rows: int) -> None:
        """Give a row that is alone all threads; several rows are translated fastest by workers of one thread each."""
        if self._workers < min(rows, self._threads):
            self._workers = self._threads
            self._translator = self._opened()

    def _start(self, batch: Batch, search: Search) -> list[Any]:
        results: list[Any] = self._translator.translate_batch(
            _named(batch.ids),
            max_input_length=0,  # too long ones were cut
            max_decoding_length=search.reach(len(batch.ids[0]), self.positions) - 1,  # without the start token
            return_end_token=True,
            asynchronous=True,
            **search.options,
        )
        return results

    def _written(self, ids: list[int], result: Any, search: Search) -> list[Written]:
        """Outputs of a result of CTranslate2, within the limit of their source.

        Its scores are the model's own unless a penalty was added or a token forbidden on the way, and are of the whole
        output if that came to its end.
        """
        room = search.limit(len(ids), self.positions) - 2  # between start and end
        eos = str(self.tokenizer.eos)
        plain = search.decoding.repetition_penalty == 1 and not search.decoding.no_repeat_ngram
        found = []
        for names, score in zip(result.hypotheses, result.scores or repeat(None), strict=False):
            known = score is not None and plain and names[-1:] == [eos] and len(names) - 1 <= room
            mean = score * len(names) ** (search.options["length_penalty"] - 1) if known else None
            found.append(Written([int(name) for name in names if name != eos][:room], mean))
        return found

    def _scored(self, batch: Batch, rows: list[list[Written]]) -> list[list[Hypothesis]]:
        unknown = [(ids, one.ids) for ids, row in zip(batch.ids, rows, strict=True) for one in row if one.score is None]
        results = self._translator.score_batch(
            _named(ids for ids, _ in unknown),
            _named(output for _, output in unknown),
            max_batch_size=SCORED_TOKENS,
            batch_type="tokens",
            max_input_length=0,
        )
        means = iter([sum(result.log_probs) / len(result.log_probs) for result in results])
        return [
            [Hypothesis(self.tokenizer.decode(one.ids), next(means) if one.score is None else one.score) for one in row]
            for row in rows
        ]


def _named(rows: Iterable[Iterable[int]]) -> list[list[str]]:
    return [[str(number) for number in row] for row in rows]

"""Writing one text behind every prompt with a decoder-only model: what translating asks of an engine."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
)

from hftoolkit.engines.base import Hypothesis, check_n_best
from hftoolkit.engines.batches import token_batches, windows
from hftoolkit.engines.decoding import Decoding
from hftoolkit.engines.pytorch import RowLimits
from hftoolkit.models.decoders import reach
from hftoolkit.models.loading import quiet

WINDOW: Final = 1024
"""Prompts sorted by length together: memory stays the same for any number of them."""

CPU_TOKENS, GPU_TOKENS = 1024, 16384
"""Tokens of prompts at once, padding included."""

_LENGTHS: Final = ("max_length", "min_length")
"""Settings that count the start token in an encoder-decoder model, and would count the prompt in this one."""

_SCORES: Final = 1 << 26
"""Scores of tokens in memory at once."""


class PromptedEngine:
    """A decoder-only model that writes one text for every prompt.

    Args:
        model: A transformers model with ``generate``; used in evaluation mode, in inference mode.
        tokenizer: Its tokenizer.
        end: Number of the token that ends a text.
        never: Numbers of tokens that are not written, such as a separator.
        behind: Tokens of a prompt that stand behind its source, at most: they stay when a prompt is too long.
        batch_tokens: Tokens of prompts at once, padding included; None: what suits the device.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        end: int,
        never: Sequence[int] = (),
        behind: int = 0,
        batch_tokens: int | None = None,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.batch_tokens = batch_tokens or (CPU_TOKENS if model.device.type == "cpu" else GPU_TOKENS)
        self.positions = reach(model.config)
        """Tokens that can be read and written together; None: any number."""
        self.truncated = 0
        """Prompts cut because the model has no more positions."""
        self._end = end
        self._never = list(never)
        self._behind = behind

    @property
    def signature(self) -> str:
        """Engine and number format."""
        return f"torch|{str(self.model.dtype).removeprefix('torch.')}"

    def cut_note(self, cut: int) -> str:
        """What should be said when so many prompts were cut."""
        count = "1 source is" if cut == 1 else f"{cut:,} sources are"
        return f"{count} longer than half of the model's {self.positions:,} tokens and {_was(cut)} cut"

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be said about everything read so far."""
        return (self.cut_note(self.truncated),) if self.truncated else ()

    @property
    def longest(self) -> int | None:
        """Tokens of a source at most; None: any number."""
        return None if self._longest is None else max(1, self._longest - self._behind)

    @property
    def _longest(self) -> int | None:
        """Tokens of a prompt at most: what is written needs room as well."""
        return None if self.positions is None else self.positions // 2

    def tokens(self, source: str) -> int:
        """Length of a text in tokens, the end token counted."""
        return len(self.tokenizer(source, add_special_tokens=False)["input_ids"]) + 1

    def generate(
        self, sources: Iterable[str], decoding: Decoding, *, batch_rows: int | None = None, **settings: Any
    ) -> Iterator[str]:
        """Write a text for every prompt, in order.

        Args:
            sources: Prompts, which say themselves how they begin.
            decoding: How to choose the output.
            batch_rows: Rows at once at most; None: as many as ``batch_tokens`` holds.
            settings: Further generation settings of transformers; lengths count one token before the output.
        """
        for found in self._written(sources, decoding, settings, 1, batch_rows):
            yield self._text(found[0][1])

    def hypotheses(self, sources: Iterable[str], decoding: Decoding, *, n_best: int = 1) -> Iterator[list[Hypothesis]]:
        """Write the best texts for every prompt, in order.

        Args:
            sources: Prompts.
            decoding: How to choose the output.
            n_best: Texts for every prompt, the search's best first.

        Raises:
            UsageError: If there are fewer beams than texts wanted.
        """
        check_n_best(n_best, decoding)
        return self._hypotheses(sources, decoding, n_best)

    def _hypotheses(self, sources: Iterable[str], decoding: Decoding, n_best: int) -> Iterator[list[Hypothesis]]:
        for window in windows(self._written(sources, decoding, {}, n_best), WINDOW):
            scores = iter(self._scores([pair for found in window for pair in found]))
            yield from ([Hypothesis(self._text(tokens), next(scores)) for _, tokens in found] for found in window)

    def _written(
        self,
        sources: Iterable[str],
        decoding: Decoding,
        settings: Mapping[str, Any],
        n_best: int,
        batch_rows: int | None = None,
    ) -> Iterator[list[tuple[list[int], list[int]]]]:
        """For every prompt its tokens with each output's, the end token left out of neither."""
        for window in windows(sources, WINDOW):
            ids = self._encode(window)
            found: list[list[tuple[list[int], list[int]]]] = [[] for _ in ids]
            for places in token_batches([*map(len, ids)], self.batch_tokens, batch_rows):
                outputs = self._generate([ids[place] for place in places], decoding, settings, n_best)
                for number, output in enumerate(outputs):
                    place = places[number // n_best]
                    found[place].append((ids[place], self._until_end(output)))
            yield from found

    def _encode(self, sources: list[str]) -> list[list[int]]:
        ids: list[list[int]] = self.tokenizer(sources, add_special_tokens=False)["input_ids"]
        for place, row in enumerate(ids):
            if self._longest is not None and len(row) > self._longest:
                self.truncated += 1
                kept = min(self._behind, self._longest // 2)
                ids[place] = row[: self._longest - kept] + row[len(row) - kept :]
        return ids

    def _until_end(self, output: list[int]) -> list[int]:
        return output[: output.index(self._end) + 1] if self._end in output else output

    def _text(self, output: Sequence[int]) -> str:
        text: str = self.tokenizer.decode([*output], skip_special_tokens=True)
        return text.strip()

    @torch.inference_mode()
    def _generate(
        self, ids: Sequence[Sequence[int]], decoding: Decoding, settings: Mapping[str, Any], n_best: int
    ) -> list[list[int]]:
        """Outputs behind prompts, ``n_best`` for each; ended ones are filled up."""
        self.model.eval()
        width = max(map(len, ids))
        given = dict(settings)
        lengths = {name: given.pop(name) + width - 1 for name in _LENGTHS if given.get(name) is not None}
        if (new := given.pop("max_new_tokens", None)) is not None:
            lengths["max_length"] = width + new
        ngram = given.pop("no_repeat_ngram_size", decoding.no_repeat_ngram)
        penalty = given.pop("repetition_penalty", decoding.repetition_penalty)
        room = 1 << 30 if self.positions is None else self.positions - self.positions // 2
        limits = [decoding.limit(len(row), room) + width for row in ids]
        config = GenerationConfig(
            num_beams=decoding.beams,
            length_penalty=decoding.length_penalty if decoding.beams > 1 else 1.0,
            num_return_sequences=n_best,
            do_sample=False,
            max_length=max(limits),
            eos_token_id=self._end,
            pad_token_id=self._end,
            suppress_tokens=self._never or None,
        )
        config.update(**{**given, **lengths})
        inputs, mask = self._padded(ids, left=True)
        behind = [Behind(width, inner) for inner in _looking_back(ngram, penalty)]
        ends = RowLimits(limits, self._end, repeats=config.num_beams)
        with quiet(), _no_settings(self.model):
            output = self.model.generate(
                input_ids=inputs,
                attention_mask=mask,
                generation_config=config,
                logits_processor=LogitsProcessorList([*behind, ends]),
            )
        return output[:, width:].tolist()  # type: ignore[no-any-return]

    @torch.inference_mode()
    def _scores(self, pairs: Sequence[tuple[list[int], list[int]]]) -> list[float]:
        """Mean log-probabilities of outputs behind their prompts."""
        found = [0.0] * len(pairs)
        lengths = [len(prompt) + len(output) for prompt, output in pairs]
        budget = max(1, _SCORES // self.model.get_output_embeddings().weight.shape[0])
        for places in token_batches(lengths, budget):
            batch = [pairs[place] for place in places]
            inputs, mask = self._padded([[*prompt, *output] for prompt, output in batch], left=False)
            logits = self.model(input_ids=inputs, attention_mask=mask, use_cache=False).logits  # [B, T, V]
            for place, row, (prompt, output) in zip(places, logits, batch, strict=True):
                scores = row[len(prompt) - 1 : len(prompt) + len(output) - 1].float()  # [T, V]
                scores[:, self._never] = -torch.inf
                wanted = torch.tensor(output, device=scores.device)[:, None]
                found[place] = float(scores.log_softmax(-1).gather(1, wanted).mean())
        return found

    def _padded(self, ids: Sequence[Sequence[int]], *, left: bool) -> tuple[Tensor, Tensor]:
        """Rows, and which of their places count."""
        width = max(map(len, ids))
        gaps = [[self._end] * (width - len(row)) for row in ids]
        rows = [[*gap, *row] if left else [*row, *gap] for row, gap in zip(ids, gaps, strict=True)]
        marks = [[0] * len(gap) + [1] * len(row) for row, gap in zip(ids, gaps, strict=True)]
        inputs = torch.tensor(rows)  # [B, T]
        mask = torch.tensor(marks if left else [mark[::-1] for mark in marks])  # [B, T]
        return inputs.to(self.model.device), mask.to(self.model.device)


@contextmanager
def _no_settings(model: Any) -> Iterator[None]:
    """Without the checkpoint's own generation settings, which are for chats: transformers fills in what another
    configuration leaves open from them."""
    own, model.generation_config = model.generation_config, GenerationConfig()
    try:
        yield
    finally:
        model.generation_config = own


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _looking_back(ngram: int, penalty: float) -> Iterator[LogitsProcessor]:
    if ngram:
        yield NoRepeatNGramLogitsProcessor(ngram)
    if penalty != 1:
        yield RepetitionPenaltyLogitsProcessor(penalty)


class Behind(LogitsProcessor):  # type: ignore[misc]
    """Lets a processor that looks at the tokens before see none of the prompts: what stands there may be said again."""

    def __init__(self, width: int, inner: Any) -> None:
        self._width = width
        self._inner = inner

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Change the scores; ``input_ids`` ``[B * beams, T]``, ``scores`` ``[B * beams, V]``."""
        if input_ids.shape[1] == self._width:
            return scores
        found: Tensor = self._inner(input_ids[:, self._width :], scores)
        return found

"""Writing behind texts and chats by a decoder-only model, on transformers' own `generate`."""

import copy
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import torch
from torch import Tensor
from transformers import StoppingCriteria, StoppingCriteriaList
from transformers.generation.streamers import BaseStreamer

from hftoolkit.engines.batches import token_batches, windows
from hftoolkit.engines.drawing import drawing
from hftoolkit.engines.prompts import Prompt
from hftoolkit.engines.sampling import Sampling
from hftoolkit.engines.spelling import Growing, Spelling, cut, has
from hftoolkit.errors import UsageError
from hftoolkit.models.decoders import reach
from hftoolkit.models.loading import quiet

WINDOW: Final = 256
"""Prompts sorted by length together: memory stays the same for any number of them."""

CPU_TOKENS, GPU_TOKENS = 4096, 65536
"""Tokens at once, those to be written included."""

_LOOK_BACK: Final[Mapping[str, Any]] = {
    "repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "min_length": 0,
    "bad_words_ids": None,
    "sequence_bias": None,
}
"""Settings of transformers that look at the tokens before, and take padding for some; each with what does nothing."""


@dataclass(frozen=True)
class Written:
    """What a model wrote."""

    text: str
    """Without special tokens, up to the first stop."""

    tokens: list[int]
    """With the token that ended it, or those that spell the stop."""

    ended: Literal["end", "stop", "limit"]
    """By the model itself, by a stop, or because no more tokens were allowed."""


class CausalEngine:
    """A decoder-only model that writes.

    Args:
        model: A transformers model with ``generate``; used in evaluation mode, in inference mode.
        tokenizer: Its tokenizer.
        batch_tokens: Tokens at once, padding and those to be written included; None: what suits the device.
    """

    def __init__(self, model: Any, tokenizer: Any, *, batch_tokens: int | None = None) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.batch_tokens = batch_tokens or (CPU_TOKENS if model.device.type == "cpu" else GPU_TOKENS)
        self.positions = reach(model.config)
        """Tokens that can be read and written together; None: any number."""
        self.short = 0
        """Texts so far that end because the model has no more positions."""

    @property
    def signature(self) -> str:
        """Engine and number format."""
        return f"torch|{str(self.model.dtype).removeprefix('torch.')}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be said about everything written so far."""
        return (self.short_note(self.short),) if self.short else ()

    def short_note(self, short: int) -> str:
        """What should be said when so many texts ended for want of positions."""
        count = "1 text ends" if short == 1 else f"{short:,} texts end"
        return f"{count} unfinished: the model has {self.positions:,} tokens for prompt and text together"

    def write(
        self,
        prompts: Iterable[Prompt],
        sampling: Sampling,
        *,
        number: int = 1,
        batch_rows: int | None = None,
        **settings: Any,
    ) -> Iterator[list[Written]]:
        """Write behind every prompt, in order and in constant memory.

        Args:
            prompts: What is gone on with.
            sampling: How tokens are chosen.
            number: Texts for every prompt: other samples, or the best of the beams.
            batch_rows: Rows at once at most; None: as many as ``batch_tokens`` holds.
            settings: Further generation settings by the names that transformers has for them; ``max_length`` counts
                the prompt, and has precedence.

        Raises:
            UsageError: If a prompt is longer than the model can read, or settings contradict each other.
        """
        beams = settings.get("num_beams", 1)
        if beams > 1 and not sampling.greedy:
            raise UsageError("num_beams: beams find the likeliest text\n  leave them out, or do not sample")
        if sampling.greedy and number > beams:
            raise UsageError(
                f"num_return_sequences: the likeliest text is one, {number} were asked for\n"
                f"  sample, or look for the {number} likeliest:   num_beams={number}"
            )
        return self._write(prompts, sampling, number, batch_rows, settings)

    def _write(
        self,
        prompts: Iterable[Prompt],
        sampling: Sampling,
        number: int,
        batch_rows: int | None,
        settings: Mapping[str, Any],
    ) -> Iterator[list[Written]]:
        copies, each = (1, number) if sampling.greedy else (number, 1)
        for window in windows(prompts, WINDOW):
            rows = [(prompt, copy) for prompt in window for copy in range(copies)]
            found: dict[int, list[Written]] = {}
            for places, limit in self._batches([prompt for prompt, _ in rows], sampling, settings, batch_rows):
                batch = [rows[place] for place in places]
                outputs = self._generate(batch, limit, sampling, {**settings, "num_return_sequences": each})
                for order, place in enumerate(places):
                    own = outputs[order * each : (order + 1) * each]
                    found[place] = [self._written(rows[place][0], tokens, sampling) for tokens in own]
            for start in range(0, len(rows), copies):
                yield [written for place in range(start, start + copies) for written in found[place]]

    def stream(self, prompt: Prompt, sampling: Sampling, show: Callable[[str], None]) -> Written:
        """Write behind one prompt, and show the text as it comes.

        Args:
            prompt: What is gone on with.
            sampling: How tokens are chosen.
            show: Is given piece after piece; none ends inside a character.

        Raises:
            UsageError: If the prompt is longer than the model can read.
        """
        growing = Growing(self.spelling(prompt), sampling.stop, show)
        feed = _Feed(growing, self._ends)
        (tokens,) = self._generate([(prompt, 0)], self._limit(prompt, sampling, {}), sampling, {}, feed)
        written = self._written(prompt, tokens, sampling)
        growing.end(written.text)
        return written

    def spelling(self, prompt: Prompt) -> Spelling:
        """How tokens behind a prompt are spelled."""
        return Spelling(self.tokenizer, prompt.tokens if prompt.joined else ())

    @property
    def _ends(self) -> list[int]:
        """Tokens that end a text."""
        said = self.model.generation_config.eos_token_id
        return list(said) if isinstance(said, list) else [] if said is None else [said]

    def _limit(self, prompt: Prompt, sampling: Sampling, settings: Mapping[str, Any]) -> int:
        """Tokens written at most behind a prompt."""
        length = len(prompt.tokens)
        if self.positions is not None and length >= self.positions:
            raise UsageError(
                f"{self._shown(prompt)} has {length:,} tokens; the model has {self.positions:,} for prompt and text "
                "together\n  give a shorter one"
            )
        wanted = settings["max_length"] - length if "max_length" in settings else sampling.max_new_tokens
        if wanted < 1:
            raise UsageError(
                f"max_length: {self._shown(prompt)} has {length:,} tokens, and max_length counts them\n"
                "  raise it, or give max_new_tokens in its place"
            )
        return int(wanted if self.positions is None else min(wanted, self.positions - length))

    def _shown(self, prompt: Prompt) -> str:
        text = " ".join(self.tokenizer.decode(list(prompt.tokens[:60]), skip_special_tokens=True).split())
        return f"the prompt '{text if len(text) <= 40 else f'{text[:37]}...'}'"

    def _batches(
        self, prompts: Sequence[Prompt], sampling: Sampling, settings: Mapping[str, Any], batch_rows: int | None
    ) -> Iterator[tuple[list[int], int]]:
        """Places of prompts that go together, and the tokens that each may be followed by: as many for all of them, so
        that none reads past the model's last position while it waits for the others."""
        config = self.model.generation_config
        step = None
        for name, nothing in _LOOK_BACK.items():
            if settings.get(name, getattr(config, name)) not in (None, nothing):
                step = 1
        by_limit: dict[int, list[int]] = {}
        for place, prompt in enumerate(prompts):
            by_limit.setdefault(self._limit(prompt, sampling, settings), []).append(place)
        for limit, places in by_limit.items():
            lengths = [len(prompts[place].tokens) + limit for place in places]
            for batch in token_batches(lengths, self.batch_tokens, batch_rows, step=step):
                yield [places[order] for order in batch], limit

    @torch.inference_mode()
    def _generate(
        self,
        rows: Sequence[tuple[Prompt, int]],
        limit: int,
        sampling: Sampling,
        settings: Mapping[str, Any],
        streamer: BaseStreamer | None = None,
    ) -> list[list[int]]:
        """What the model writes behind prompts, each with the number of its sample; ended rows are filled up."""
        self.model.eval()
        config = copy.deepcopy(self.model.generation_config)
        said = (config.pad_token_id, self.tokenizer.pad_token_id, *self._ends, 0)
        pad = next(token for token in said if token is not None)
        width = max(len(prompt.tokens) for prompt, _ in rows)
        gaps = [width - len(prompt.tokens) for prompt, _ in rows]
        inputs = torch.tensor([[pad] * gap + list(prompt.tokens) for gap, (prompt, _) in zip(gaps, rows, strict=True)])
        mask = torch.tensor([[0] * gap + [1] * (width - gap) for gap in gaps])  # [B, T]
        numbers = [np.random.default_rng([sampling.seed, number, *prompt.tokens]) for prompt, number in rows]
        stops = [Stops(self.tokenizer, sampling.stop, width)] if sampling.stop else []
        with quiet():  # of settings that a checkpoint has for sampling, which is done by us
            config.update(**{**settings, "max_length": None, "max_new_tokens": limit, "do_sample": False})
            output = self.model.generate(
                input_ids=inputs.to(self.model.device),  # [B, T]
                attention_mask=mask.to(self.model.device),
                generation_config=config,
                pad_token_id=pad,
                logits_processor=drawing(config, sampling, numbers),
                stopping_criteria=StoppingCriteriaList(stops),
                tokenizer=self.tokenizer,
                streamer=streamer,
            )
        return output[:, width:].tolist()  # type: ignore[no-any-return]

    def _written(self, prompt: Prompt, tokens: list[int], sampling: Sampling) -> Written:
        ends = set(self._ends)
        end = next((place for place, token in enumerate(tokens) if token in ends), None)
        tokens = tokens if end is None else tokens[: end + 1]
        spelling = self.spelling(prompt)
        text = spelling(tokens[:end])
        if has(text, sampling.stop):
            size = bisect_left(range(len(tokens)), True, key=lambda size: has(spelling(tokens[:size]), sampling.stop))
            return Written(cut(text, sampling.stop), tokens[:size], "stop")
        if end is not None:
            return Written(text, tokens, "end")
        if self.positions is not None and len(prompt.tokens) + len(tokens) >= self.positions:
            self.short += 1
        return Written(text, tokens, "limit")


class _Feed(BaseStreamer):  # type: ignore[misc]
    """Hands the tokens that `generate` writes for one prompt on."""

    def __init__(self, growing: Growing, ends: Sequence[int]) -> None:
        self._growing = growing
        self._ends = ends
        self._prompt = True

    def put(self, value: Tensor) -> None:
        if not self._prompt and int(value) not in self._ends:
            self._growing.add(int(value))
        self._prompt = False

    def end(self) -> None:
        """What is left is shown by who has the whole text."""


class Stops(StoppingCriteria):  # type: ignore[misc]
    """Ends a row when it has written a stop.

    transformers' own criterion takes the end of a prompt for a part of the stop, and looks through the vocabulary.

    Args:
        tokenizer: Of transformers.
        stops: Texts at which to stop.
        width: Tokens of the prompts.
    """

    def __init__(self, tokenizer: Any, stops: Sequence[str], width: int) -> None:
        self._tokenizer = tokenizer
        self._stops = stops
        self._width = width
        self._look = max(len(stop.encode()) for stop in stops) + 4  # every token has a byte at least

    def __call__(self, input_ids: Tensor, scores: Any, **_: Any) -> Tensor:
        """Which rows have ended; ``input_ids`` ``[B, T]``."""
        last = input_ids[:, max(self._width, input_ids.shape[1] - self._look) :]
        texts = self._tokenizer.batch_decode(last, skip_special_tokens=True)
        return torch.tensor([has(text, self._stops) for text in texts], device=input_ids.device)

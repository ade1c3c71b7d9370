"""Translating by a model of a server that speaks OpenAI's protocol: Ollama, llama.cpp, vLLM, or a hosted one."""

import hashlib
import json
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

from hftoolkit.engines.base import Hypothesis
from hftoolkit.engines.chatter import only_said, without_chatter
from hftoolkit.engines.decoding import Decoding
from hftoolkit.engines.openai_server import Requests, Server, telling
from hftoolkit.errors import UsageError
from hftoolkit.hub import cache_folder

_AHEAD: Final = 4
"""Answers awaited for each request at once, so that a slow one does not hold up the others."""

_LEAST, _PER_TOKEN, _THINKS = 128, 10, 32
"""Tokens of an answer at most: so many, or so many for each of its source; for models that think first, so many times
more. Small models may never stop by themselves."""


class OpenAIEngine:
    """A model of a server, asked for one sentence at a time, several at once.

    Args:
        server: Where it is.
        model: Its name there.
        system: What it is told before every sentence.
    """

    truncated = 0
    longest: int | None = None

    def __init__(self, server: Server, model: str, system: str) -> None:
        self.model = model
        self.asked = self.kept = self.cut = self.empty = self.chatter = 0
        """Answers that the server gave, that were kept from before, that are not whole, that say nothing, that had
        words around them."""
        self.tokens_read = self.tokens_written = 0
        self.seconds = 0.0
        """Of all requests, also where several were under way at once."""
        self._server = server
        self._system = system
        self._requests = Requests(server, model)
        self._lock = threading.Lock()
        self._room = 1

    @property
    def signature(self) -> str:
        """Engine, model, and what it is told and where, in a few letters."""
        told = hashlib.sha256(f"{self._server.shown}|{self._system}".encode()).hexdigest()[:8]
        return f"openai|{self.model}|told:{told}"

    def cut_note(self, cut: int) -> str:
        """Sources are never cut here."""
        return f"{cut} cut"

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be said about everything answered so far."""
        found = [
            f"{self._server.shown}: {self.asked:,} answers of {self.seconds / max(self.asked, 1):.1f} s, "
            f"{self.tokens_read:,} tokens read, {self.tokens_written:,} written"
        ]
        if self.kept:
            found.append(f"{self.kept:,} answers are from before, kept in {cache_folder() / 'openai'}")
        if self.cut:
            found.append(f"{self.cut:,} answers are not whole: the model's context was full, or it did not stop")
        if self.empty:
            found.append(f"{self.empty:,} answers are empty: the model said nothing, or refused")
        if self.chatter:
            found.append(f"{self.chatter:,} answers had words around the translation, which were taken off")
        return tuple(found)

    def tokens(self, source: str) -> int:
        """About the length of a text in tokens, which only the server knows."""
        return 1 + sum(4 if sign > "\u2e80" else 1 for sign in source) // 4

    def generate(
        self, sources: Iterable[str], decoding: Decoding, *, batch_rows: int | None = None, **settings: Any
    ) -> Iterator[str]:
        """Translate every source, in order.

        Args:
            sources: Texts.
            decoding: Beams and length penalty are the server's business; penalties ask for other words.
            batch_rows: Without meaning here.
            settings: None are known.

        Raises:
            UsageError: If there are settings.
            HubError: If the server does not answer, or refuses.
        """
        if settings:
            raise UsageError(f"{next(iter(settings))}: the openai engine has no such setting\n  leave it out")
        return (found[0].text for found in self.hypotheses(sources, decoding))

    def hypotheses(self, sources: Iterable[str], decoding: Decoding, *, n_best: int = 1) -> Iterator[list[Hypothesis]]:
        """The same; one text for each, without a score."""
        wishes: dict[str, Any] = {"temperature": 0.0, "seed": 1}
        if decoding.no_repeat_ngram or decoding.repetition_penalty != 1:
            wishes |= {"temperature": 0.3, "frequency_penalty": 0.5}
        waiting: deque[Future[str]] = deque()
        pool, over = ThreadPoolExecutor(self._server.concurrency), threading.Event()
        try:
            for source in sources:
                waiting.append(pool.submit(self._answer, source, wishes, over))
                if len(waiting) >= _AHEAD * self._server.concurrency:
                    yield [Hypothesis(waiting.popleft().result(), None)]
            while waiting:
                yield [Hypothesis(waiting.popleft().result(), None)]
        finally:
            over.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, source: str, wishes: Mapping[str, Any], over: threading.Event) -> str:
        """What the model says to a source, now or before."""
        told = [self._server.shown, self.model, self._system, source, json.dumps(wishes, sort_keys=True)]
        place = cache_folder() / "openai" / f"{hashlib.sha256(json.dumps(told).encode()).hexdigest()}.json"
        with suppress(OSError, ValueError, KeyError, TypeError):
            text = str(json.loads(place.read_text(encoding="utf-8"))["text"])
            with self._lock:
                self.kept += 1
            return self._bare(text, source)
        begin = time.perf_counter()
        with telling(self._server, f"translate with '{self.model}'", self.model):
            room = self._room
            answer = self._asked(source, wishes, room, over)
            choice = answer.choices[0]
            text = choice.message.content
            if choice.finish_reason == "length" and room == 1 and not only_said(text or "", source).strip():
                self._room = _THINKS  # all of it was thought
                answer = self._asked(source, wishes, _THINKS, over)
                choice = answer.choices[0]
                text = choice.message.content
            if not isinstance(text, str | None):
                raise TypeError("content")
            usage = answer.usage
            read, wrote = (usage.prompt_tokens or 0, usage.completion_tokens or 0) if usage else (0, 0)
        text = only_said(text or "", source)
        whole = choice.finish_reason in ("stop", None)
        with self._lock:
            self.asked += 1
            self.seconds += time.perf_counter() - begin
            self.tokens_read += read
            self.tokens_written += wrote
            self.cut += not whole
            self.empty += not text.strip()
        if whole and text.strip():
            _keep(place, {"model": self.model, "source": source, "text": text})
        return self._bare(text, source)

    def _asked(self, source: str, wishes: Mapping[str, Any], room: int, over: threading.Event) -> Any:
        messages = [{"role": "system", "content": self._system}, {"role": "user", "content": source}]
        longest = max(_LEAST, _PER_TOKEN * self.tokens(source)) * room
        return self._requests.ask(messages, {**wishes, "max_tokens": longest}, over)

    def _bare(self, text: str, source: str) -> str:
        bare = without_chatter(text, source)
        if bare != text.strip():
            with self._lock:
                self.chatter += 1
        return bare


def _keep(place: Any, answer: Mapping[str, Any]) -> None:
    """Keep an answer for the next time; without room for it, it is asked again."""
    with suppress(OSError, ValueError):
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f"{place.name}.{threading.get_ident()}-{os.getpid()}.partial")
        draft.write_text(json.dumps(answer, ensure_ascii=False), encoding="utf-8")
        os.replace(draft, place)

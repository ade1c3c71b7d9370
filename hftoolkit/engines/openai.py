"""Translating by a server that speaks OpenAI's protocol: Ollama, llama.cpp, vLLM, transformers serve, or a hosted one.

The only file that imports `openai`. The key comes from the environment alone, and reaches no message, log or file.
"""

import hashlib
import json
import os
import re
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from hftoolkit.engines.base import Hypothesis
from hftoolkit.engines.chatter import only_said, without_chatter
from hftoolkit.engines.decoding import Decoding
from hftoolkit.errors import DataError, HubError, UsageError
from hftoolkit.hub import cache_folder

DEFAULT_URL: Final = "http://localhost:11434/v1"
"""Ollama on this machine."""

KEY: Final = "OPENAI_API_KEY"

CONCURRENCY: Final = 4
"""Requests at once."""

RETRIES: Final = 6
"""Times that a request is sent again, later and later: half a minute in all."""

TIMEOUT: Final = 300.0
"""Seconds for one answer: a model on a processor takes its time."""

_AHEAD: Final = 4
"""Answers awaited for each request at once, so that a slow one does not hold up the others."""

_WAITS: Final = 8.0
"""Seconds between two tries at most, where the server does not say when."""

_OPTIONAL: Final = ("temperature", "seed", "frequency_penalty", "max_tokens")
"""Wishes that some servers refuse."""

_LEAST, _PER_TOKEN, _THINKS = 128, 10, 32
"""Tokens of an answer at most: so many, or so many for each of its source; for models that think first, so many times
more. Small models may never stop by themselves."""

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Server:
    """Where requests go, and how."""

    base_url: str | None = None
    """Such as ``http://localhost:11434/v1``; None: what ``OPENAI_BASE_URL`` says, else Ollama on this machine."""

    system: str | None = None
    """What the model is told; ``{source}`` and ``{target}`` are names of languages. None: to translate, and no more."""

    concurrency: int = CONCURRENCY
    """Requests at once."""

    def __post_init__(self) -> None:
        if type(self.concurrency) is not int or self.concurrency < 1:
            raise UsageError(f"concurrency: expected a whole number from 1, got {self.concurrency!r}")
        try:
            parts = urlsplit(self.url)
            whole = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            whole = False
        if not whole or parts.query or parts.fragment:
            raise UsageError(
                f"base_url: expected the address of a server, such as {DEFAULT_URL}, got '{self.shown}'\n"
                "  name the part before /chat/completions"
            )

    @property
    def url(self) -> str:
        """Where requests go."""
        return (self.base_url or os.environ.get("OPENAI_BASE_URL") or DEFAULT_URL).rstrip("/")

    @property
    def shown(self) -> str:
        """The same for messages: without a user and a password, and what stands behind a question mark."""
        return re.sub(r"(?<=//)[^/@]*@|[?#].*", "", self.url)

    def client(self) -> Any:
        """The official client; it sends a request once.

        Raises:
            UsageError: If it is not installed, or the key cannot be one.
        """
        try:
            import openai
        except ImportError as error:
            raise UsageError("the openai engine needs a package:   pip install 'hftoolkit[openai]'") from error
        key = os.environ.get(KEY, "").strip()
        if not key.isascii() or not key.isprintable():
            raise UsageError(f"{KEY}: this is no key: it has characters that none has\n  copy it again")
        # Servers on one's own machine ask for no key, but the client does; a proxy would look for them elsewhere.
        own = urlsplit(self.url).hostname in _LOOPBACK
        sender = openai.DefaultHttpxClient(trust_env=False) if own else None
        return openai.OpenAI(
            base_url=self.url, api_key=key or "none", max_retries=0, timeout=TIMEOUT, http_client=sender
        )


def models_of(server: Server) -> list[str]:
    """Names of a server's models, in order of the alphabet.

    Raises:
        UsageError: If the client is not installed.
        HubError: If the server does not answer, or refuses.
    """
    client = server.client()
    with _telling(server, "list its models"):
        return sorted(model.id for model in client.models.list())


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
        self._client = server.client()
        self._lock = threading.Lock()
        self._room = 1
        self._refused: set[str] = set()
        """Wishes that this server refuses."""

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
        with _telling(self._server, f"translate with '{self.model}'", self.model):
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
        """Ask the server, again and later where it is busy or away; what it does not take of wishes is left out."""
        import openai

        tries = 0
        wishes = {**wishes, "max_tokens": max(_LEAST, _PER_TOKEN * self.tokens(source)) * room}
        while True:
            sent = {name: value for name, value in wishes.items() if name not in self._refused}
            try:
                return self._client.chat.completions.create(
                    model=self.model,
                    messages=[{"role": "system", "content": self._system}, {"role": "user", "content": source}],
                    **sent,
                )
            except openai.APITimeoutError:
                raise
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                # Of what this request had: another one may have been told the same meanwhile.
                odd = {name for name in _OPTIONAL if name in sent and name in str(error.message)}
                if not odd:
                    raise
                with self._lock:
                    self._refused |= odd
            except (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError) as error:
                tries += 1
                if tries > RETRIES or over.wait(_pause(error, tries)):
                    raise

    def _bare(self, text: str, source: str) -> str:
        bare = without_chatter(text, source)
        if bare != text.strip():
            with self._lock:
                self.chatter += 1
        return bare


def _pause(error: Any, tries: int) -> float:
    """Seconds until the next try: as many as the server says, else ever more."""
    response = getattr(error, "response", None)
    said = "" if response is None else response.headers.get("retry-after", "")
    usual = min(_WAITS, 0.5 * 2 ** (tries - 1))
    return min(float(said), 60.0) if said.replace(".", "", 1).isdecimal() else usual


def _keep(place: Any, answer: Mapping[str, Any]) -> None:
    """Keep an answer for the next time; without room for it, it is asked again."""
    with suppress(OSError, ValueError):
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f"{place.name}.{threading.get_ident()}-{os.getpid()}.partial")
        draft.write_text(json.dumps(answer, ensure_ascii=False), encoding="utf-8")
        os.replace(draft, place)


@contextmanager
def _telling(server: Server, wish: str, model: str | None = None) -> Iterator[None]:
    """Say in one error what a server did not do, and never the key."""
    import openai

    where = server.shown
    try:
        yield
    except openai.APITimeoutError:
        raise HubError(
            f"no answer from {where} in {TIMEOUT:.0f} s, to {wish}\n"
            "  try a smaller model, or ask for less at once:   --concurrency 1"
        ) from None
    except openai.APIConnectionError:
        raise HubError(
            f"cannot reach {where} to {wish}\n"
            "  start the server, such as:   ollama serve\n"
            "  another one:                 --base-url URL"
        ) from None
    except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
        raise HubError(
            f"{where} refuses to {wish} ({error.status_code}): the key is missing or wrong\n"
            f"  put yours into the environment:   {KEY}=..."
        ) from None
    except openai.NotFoundError:
        known = f"has no model '{model}'" if model else "lists no models"
        raise HubError(
            f"{where} {known}, or is no server of this kind (404)\n"
            f"  to see what it has:   hftoolkit models --base-url {where}"
        ) from None
    except openai.RateLimitError:
        raise HubError(
            f"{where} has had too many requests (429), and still has after {RETRIES} tries\n"
            "  wait, or ask for less at once:   --concurrency 1; what is answered is kept"
        ) from None
    except openai.APIStatusError as error:
        said = _without_key(" ".join(str(error.message).split())[:200])
        raise HubError(f"{where} cannot {wish} ({error.status_code}): {said}\n  look at the server's own log") from None
    except openai.OpenAIError as error:
        raise HubError(f"{where} cannot {wish}: {_without_key(str(error))}") from None
    except UnicodeEncodeError:
        raise DataError(
            "a text has half of a character, which cannot be sent\n  decode the file in the encoding that it has"
        ) from None
    except (ValueError, TypeError, AttributeError, IndexError):
        raise HubError(
            f"{where} is no server of this kind: its answer cannot be read\n"
            "  name the part of its address before /chat/completions, which often ends with /v1"
        ) from None


def _without_key(text: str) -> str:
    key = os.environ.get(KEY, "").strip()
    return text.replace(key, "...") if key else text

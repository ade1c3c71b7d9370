"""A server that speaks OpenAI's protocol: where it is, how it is asked, and what is said when it does not answer.

The only file that imports `openai`. The key comes from the environment alone, and reaches no message, log or file.
"""

import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from hftoolkit.errors import DataError, HubError, UsageError

DEFAULT_URL: Final = "http://localhost:11434/v1"
"""Ollama on this machine."""

KEY: Final = "OPENAI_API_KEY"

CONCURRENCY: Final = 4
"""Requests at once."""

RETRIES: Final = 6
"""Times that a request is sent again, later and later: half a minute in all."""

TIMEOUT: Final = 300.0
"""Seconds for one answer: a model on a processor takes its time."""

_WAITS: Final = 8.0
"""Seconds between two tries at most, where the server does not say when."""

_OPTIONAL: Final = ("temperature", "seed", "frequency_penalty", "max_tokens")
"""Wishes that some servers refuse."""

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
    with telling(server, "list its models"):
        return sorted(model.id for model in client.models.list())


class Requests:
    """Requests to a model of a server, which may be made by several threads.

    Args:
        server: Where it is.
        model: Its name there.
    """

    def __init__(self, server: Server, model: str) -> None:
        self._model = model
        self._client = server.client()
        self._lock = threading.Lock()
        self._refused: set[str] = set()
        """Wishes that this server refuses."""

    def ask(self, messages: Sequence[Mapping[str, str]], wishes: Mapping[str, Any], over: threading.Event) -> Any:
        """Ask the server, again and later where it is busy or away; what it does not take of wishes is left out.

        Args:
            messages: The conversation so far.
            wishes: Temperature, longest answer and the like.
            over: Set where nobody waits for the answer any more.
        """
        import openai

        tries = 0
        while True:
            sent = {name: value for name, value in wishes.items() if name not in self._refused}
            try:
                return self._client.chat.completions.create(model=self._model, messages=messages, **sent)
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


def _pause(error: Any, tries: int) -> float:
    """Seconds until the next try: as many as the server says, else ever more."""
    response = getattr(error, "response", None)
    said = "" if response is None else response.headers.get("retry-after", "")
    usual = min(_WAITS, 0.5 * 2 ** (tries - 1))
    return min(float(said), 60.0) if said.replace(".", "", 1).isdecimal() else usual


@contextmanager
def telling(server: Server, wish: str, model: str | None = None) -> Iterator[None]:
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

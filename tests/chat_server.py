"""A small server that speaks OpenAI's protocol: it answers, waits, or fails as a test wants it to."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[str], str | int | bytes | tuple[int, str]]
"""From what was said last: a text, the status of a failure, perhaps with a message, or bytes that are no answer."""


@dataclass
class ChatServer:
    """What it was asked, and how it answers."""

    answer: Answer = lambda text: f"译{text}"
    models: tuple[str, ...] = ("b", "a")
    finish: str = "stop"
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    most: int = 0
    """Requests under way at once, at most."""

    url: str = ""
    retry_after: str = "0"
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def asked(self) -> list[str]:
        return [request["messages"][-1]["content"] for request in self.requests]

    @contextmanager
    def busy(self) -> Iterator[None]:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1


@contextmanager
def serve(chat: ChatServer, port: int = 0) -> Iterator[ChatServer]:
    """Run it on this machine while a test lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in chat.models]})

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with chat.busy():
                with chat._lock:
                    chat.requests.append(request)
                    chat.keys.add(self.headers["Authorization"])
                said = chat.answer(request["messages"][-1]["content"])
            if isinstance(said, bytes):
                self._send_bytes(200, said)
                return
            if isinstance(said, int):
                said = said, f"no: {self.headers['Authorization']}"
            if isinstance(said, tuple):
                self._send(said[0], {"error": {"message": said[1]}})
                return
            choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": chat.finish}
            usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
            whole = {"id": "x", "object": "chat.completion", "created": 0, "model": request["model"]}
            self._send(200, whole | {"choices": [choice], "usage": usage})

        def _send(self, status: int, value: Any) -> None:
            self._send_bytes(status, json.dumps(value).encode())

        def _send_bytes(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if status >= 400:
                self.send_header("retry-after", chat.retry_after)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    chat.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield chat
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

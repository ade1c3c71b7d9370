"""The engine of a server: in order, several at once, nothing asked twice, failures in one error without the key."""

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, serve
from running import hftoolkit

from hftoolkit import translate
from hftoolkit.engines import openai_server
from hftoolkit.engines.decoding import Decoding
from hftoolkit.engines.openai import OpenAIEngine
from hftoolkit.engines.openai_server import Server, models_of
from hftoolkit.errors import DataError, HubError, UsageError
from hftoolkit.hub import cache_folder

SOURCES = [f"Sentence {number}." for number in range(30)]
GREEDY = Decoding(1)


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    with serve(ChatServer()) as running:
        yield running


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures are told without waiting for better times."""
    monkeypatch.setattr(openai_server, "RETRIES", 0)


def engine_of(chat: ChatServer, **settings: Any) -> OpenAIEngine:
    return OpenAIEngine(Server(chat.url, **settings), "mine", "Translate.")


def test_answers_come_in_order(chat: ChatServer) -> None:
    def slowly(text: str) -> str:
        time.sleep(0.02 if text.endswith("0.") else 0)
        return f"译{text}"

    chat.answer = slowly
    engine = engine_of(chat)
    assert list(engine.generate(iter(SOURCES), GREEDY)) == [f"译{text}" for text in SOURCES]
    assert sorted(chat.asked) == sorted(SOURCES)
    assert 1 < chat.most <= 4
    assert {request["model"] for request in chat.requests} == {"mine"}
    assert chat.requests[0]["messages"][0] == {"role": "system", "content": "Translate."}
    assert {request["temperature"] for request in chat.requests} == {0.0}
    (note,) = engine.notes
    assert note.endswith(" s, 210 tokens read, 90 written")
    assert re.fullmatch(r"openai\|mine\|told:[0-9a-f]{8}", engine.signature)


def test_so_many_requests_at_once(chat: ChatServer) -> None:
    gate = threading.Barrier(2, timeout=10)

    def together(text: str) -> str:
        gate.wait()
        return text

    chat.answer = together
    assert list(engine_of(chat, concurrency=2).generate(SOURCES, GREEDY)) == SOURCES
    assert chat.most == 2


def test_no_more_is_read_than_is_needed(chat: ChatServer) -> None:
    read: list[str] = []

    def sources() -> Iterator[str]:
        for number in range(1000):
            read.append(str(number))
            yield str(number)

    found = engine_of(chat, concurrency=1).generate(sources(), GREEDY)
    assert [next(found) for _ in range(3)] == ["译0", "译1", "译2"]
    assert len(read) < 10
    found.close()  # type: ignore[attr-defined]


def test_nothing_is_asked_twice(chat: ChatServer) -> None:
    expected = list(engine_of(chat).generate(SOURCES, GREEDY))
    again = engine_of(chat)
    assert list(again.generate([*SOURCES, "New."], GREEDY)) == [*expected, "译New."]
    assert len(chat.asked) == 31
    assert (again.asked, again.kept) == (1, 30)
    other = OpenAIEngine(Server(chat.url), "mine", "Otherwise.")
    list(other.generate(SOURCES[:1], GREEDY))
    assert (other.asked, other.kept) == (1, 0)


def test_a_server_that_dies_and_comes_back(chat: ChatServer, at_once: None) -> None:
    def dying(text: str) -> str | int:
        return 500 if len(chat.requests) > 12 else f"译{text}"

    chat.answer = dying
    with pytest.raises(HubError, match=r"cannot translate with 'mine' \(500\)"):
        list(engine_of(chat).generate(SOURCES, GREEDY))
    answered = set(chat.asked[:12])
    chat.requests.clear()
    chat.answer = lambda text: f"译{text}"
    assert list(engine_of(chat).generate(SOURCES, GREEDY)) == [f"译{text}" for text in SOURCES]
    assert not answered & set(chat.asked)
    assert len(chat.asked) == 18


def test_failures_that_pass_are_not_told(chat: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_server, "_WAITS", 0.01)

    def at_first(text: str) -> str | int:
        return 503 if len(chat.requests) < 3 else f"译{text}"

    chat.answer = at_first
    assert list(engine_of(chat, concurrency=1).generate(["a"], GREEDY)) == ["译a"]
    assert len(chat.requests) == 3


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "refuses to translate with 'mine' (401): the key is missing or wrong\n"
              "  put yours into the environment:   OPENAI_API_KEY=..."),
        (403, "refuses to translate with 'mine' (403): the key is missing or wrong\n"
              "  put yours into the environment:   OPENAI_API_KEY=..."),
        (404, "has no model 'mine', or is no server of this kind (404)\n"
              "  to see what it has:   hftoolkit models --base-url {url}"),
        (429, "has had too many requests (429), and still has after 0 tries\n"
              "  wait, or ask for less at once:   --concurrency 1; what is answered is kept"),
        (400, "cannot translate with 'mine' (400): Error code: 400 - no: Bearer ...\n"
              "  look at the server's own log"),
    ],
)  # fmt: skip
def test_failures(chat: ChatServer, at_once: None, monkeypatch: pytest.MonkeyPatch, status: int, message: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    chat.answer = lambda text: status
    with pytest.raises(HubError) as caught:
        list(engine_of(chat).generate(["a"], GREEDY))
    assert str(caught.value) == f"{chat.url} {message.format(url=chat.url)}"
    assert chat.keys == {"Bearer sk-secret"}
    kept = list((cache_folder() / "openai").glob("*")) if (cache_folder() / "openai").exists() else []
    assert kept == []


def test_no_server(at_once: None) -> None:
    with pytest.raises(HubError) as caught:
        list(OpenAIEngine(Server("http://user:word@127.0.0.1:9/v1"), "m", "").generate(["a"], GREEDY))
    assert str(caught.value) == (
        "cannot reach http://127.0.0.1:9/v1 to translate with 'm'\n"
        "  start the server, such as:   ollama serve\n"
        "  another one:                 --base-url URL"
    )


def test_the_key_is_kept_nowhere(chat: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    list(engine_of(chat).generate(SOURCES[:3], GREEDY))
    files = list((cache_folder() / "openai").iterdir())
    assert len(files) == 3
    assert not any("secret" in path.read_text(encoding="utf-8") for path in files)


def test_an_answer_that_is_not_whole_is_told_and_not_kept(chat: ChatServer) -> None:
    chat.finish = "length"
    engine = engine_of(chat)
    assert list(engine.generate(["a"], GREEDY)) == ["译a"]
    assert engine.notes[1] == "1 answers are not whole: the model's context was full, or it did not stop"
    assert list(engine_of(chat).generate(["a"], GREEDY)) == ["译a"]
    assert len(chat.asked) == 2


@pytest.mark.parametrize("said", ["", "<think>Hm, and", "<think>Hm.</think>"])
def test_an_empty_answer_is_told_and_not_kept(chat: ChatServer, said: str) -> None:
    chat.answer = lambda text: said
    engine = engine_of(chat)
    assert list(engine.generate(["a"], GREEDY)) == [""]
    assert engine.notes[1] == "1 answers are empty: the model said nothing, or refused"
    chat.answer = lambda text: "好"
    assert list(engine_of(chat).generate(["a"], GREEDY)) == ["好"]


def test_an_answer_has_room_and_thinking_more(chat: ChatServer) -> None:
    list(engine_of(chat).generate(["a", "word " * 100], GREEDY))
    assert sorted(request["max_tokens"] for request in chat.requests) == [128, 1260]
    chat.requests.clear()

    def thinking(text: str) -> str:
        chat.finish = "length" if chat.requests[-1]["max_tokens"] == 128 else "stop"
        return "<think>Hm, and" if chat.finish == "length" else f"<think>Hm.</think>译{text}"

    chat.answer = thinking
    engine = engine_of(chat, concurrency=1)
    assert list(engine.generate(["b", "c"], GREEDY)) == ["译b", "译c"]
    assert [request["max_tokens"] for request in chat.requests] == [128, 4096, 4096]
    assert len(engine.notes) == 1


def test_what_a_server_does_not_take_is_left_out(chat: ChatServer) -> None:
    def picky(text: str) -> str | tuple[int, str]:
        for name in ("temperature", "seed"):
            if name in chat.requests[-1]:
                return 400, f"Unsupported parameter: '{name}'"
        return f"译{text}"

    chat.answer = picky
    assert list(engine_of(chat, concurrency=1).generate(["a", "b"], GREEDY)) == ["译a", "译b"]
    assert len(chat.requests) == 4


def test_it_is_left_out_of_requests_under_way_too(chat: ChatServer) -> None:
    gate = threading.Barrier(3, timeout=10)

    def picky(text: str) -> str | tuple[int, str]:
        if "temperature" in next(one for one in reversed(chat.requests) if one["messages"][-1]["content"] == text):
            gate.wait()  # all have been sent before any is refused
            return 400, "Unsupported value: 'temperature'"
        return f"译{text}"

    chat.answer = picky
    assert list(engine_of(chat, concurrency=3).generate(["a", "b", "c"], GREEDY)) == ["译a", "译b", "译c"]


def test_all_that_only_thought_are_asked_again(chat: ChatServer) -> None:
    gate, again = threading.Barrier(2, timeout=10), threading.Barrier(2, timeout=10)

    def thinking(text: str) -> str:
        mine = next(one for one in reversed(chat.requests) if one["messages"][-1]["content"] == text)
        if mine["max_tokens"] == 128:
            chat.finish = "length"
            gate.wait()
            return "<think>Hm"
        again.wait()  # both have had their first answers
        chat.finish = "stop"
        return f"译{text}"

    chat.answer = thinking
    assert list(engine_of(chat, concurrency=2).generate(["a", "b"], GREEDY)) == ["译a", "译b"]


def test_a_key_with_a_line_end_is_not_told(chat: ChatServer, at_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret\n")
    chat.answer = lambda text: 400
    with pytest.raises(HubError) as caught:
        list(engine_of(chat).generate(["a"], GREEDY))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("body", [b"<html></html>", b"[]", b'{"choices": []}', b'{"error": {"message": "x"}}', b"{"])
def test_something_else_answers(chat: ChatServer, at_once: None, body: bytes) -> None:
    chat.answer = lambda text: body
    with pytest.raises(HubError) as caught:
        list(engine_of(chat).generate(["a"], GREEDY))
    assert str(caught.value) == (
        f"{chat.url} is no server of this kind: its answer cannot be read\n"
        "  name the part of its address before /chat/completions, which often ends with /v1"
    )


@pytest.mark.parametrize(
    "url", ["localhost", "ftp://a/v1", "http://[::1/v1", "http://a:b/v1", "http://me:secret@a/v1?key=secret"]
)
def test_odd_addresses(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Server(url)
    assert str(caught.value).startswith("base_url: expected the address of a server, such as http://localhost:11434/v1")
    assert "secret" not in str(caught.value)


def test_odd_keys(chat: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret\n")
    assert list(engine_of(chat).generate(["a"], GREEDY)) == ["译a"]
    assert chat.keys == {"Bearer sk-secret"}
    monkeypatch.setenv("OPENAI_API_KEY", "“sk-secret”")
    with pytest.raises(UsageError, match="OPENAI_API_KEY: this is no key") as caught:
        engine_of(chat)
    assert "secret" not in str(caught.value)


def test_no_proxy_stands_before_this_machine(chat: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert list(engine_of(chat).generate(["a"], GREEDY)) == ["译a"]


def test_they_are_counted(chat: ChatServer) -> None:
    chat.answer = lambda text: f"Translation: {text}" if text == "a" else f" {text} "
    engine = engine_of(chat)
    assert list(engine.generate(["a", "b"], GREEDY)) == ["a", "b"]
    assert engine.notes[1] == "1 answers had words around the translation, which were taken off"


def test_models_of_a_server(chat: ChatServer) -> None:
    assert models_of(Server(chat.url)) == ["a", "b"]
    assert hftoolkit("models", "--base-url", chat.url).out == "a\nb\n"
    chat.models = ()
    outcome = hftoolkit("models", "--base-url", chat.url)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", f"note: {chat.url} lists no models\n")
    outcome = hftoolkit("models", "--base-url", "localhost")
    assert outcome.code == 2
    assert outcome.err.startswith(
        "error: base_url: expected the address of a server, such as http://localhost:11434/v1"
    )


def test_a_document_by_a_server(chat: ChatServer, tmp_path: Path) -> None:
    (tmp_path / "in.md").write_text("# Good night!\n\n- The `code` is open.\n", encoding="utf-8")
    arguments = ["--engine", "openai", "--base-url", chat.url, "--model", "mine", "--to", "zh-Hans"]
    outcome = hftoolkit("translate", *arguments, "--file", tmp_path / "in.md")
    assert outcome.code == 0, outcome.err
    assert outcome.out == "# 译Good night!\n\n- 译The `code` is open.\n"
    assert chat.requests[0]["messages"][0]["content"].startswith(
        "You are a translator. Translate what the user writes from English to Simplified Chinese."
    )
    assert " answers of " in outcome.err
    own = translate("Good night!", engine="openai", model="mine", server=Server(chat.url, "To {target}!"))
    assert own == "译Good night!"
    assert chat.requests[-1]["messages"][0]["content"] == "To Chinese!"


def test_what_does_not_belong_together(chat: ChatServer) -> None:
    for arguments, message in (
        (["--base-url", chat.url], "--base-url is about a server: add --engine openai"),
        (["--engine", "openai", "--model", "m", "--n-best", "2"], "--n-best is not for --engine openai: leave it out"),
        (
            ["--engine", "openai", "--model", "m", "--device", "cpu"],
            "--device is not for --engine openai: leave it out",
        ),
        (["--engine", "openai"], "which model of the server?"),
    ):
        outcome = hftoolkit("translate", *arguments, "Hello.")
        assert outcome.code == 2
        assert outcome.err.startswith(f"error: {message}")
    with pytest.raises(UsageError, match="concurrency: expected a whole number from 1, got 0"):
        Server(concurrency=0)
    with pytest.raises(UsageError, match="top_k: the openai engine has no such setting"):
        engine_of(chat).generate(["a"], GREEDY, top_k=1)


def test_half_a_character(chat: ChatServer) -> None:
    with pytest.raises(DataError, match="a text has half of a character, which cannot be sent"):
        list(engine_of(chat).generate(["a\udce9"], GREEDY))

"""The side of the small hub that takes: repositories made, files sent, commits, for who has a token."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import hub_server
import pytest
import yaml
from hub_server import LARGE, Hub, serve

TOKEN = "hf_TheTokenOfSomebodyWhoMayWrite"  # noqa: S105
"""May write to ``acme``."""


@dataclass
class Commit:
    """What was changed in a repository."""

    name: str
    summary: str
    sent: list[str]
    removed: list[str]


@dataclass
class Store:
    """A hub that takes, and what it was given."""

    hub: Hub

    folder: Path
    """Where new repositories lie."""

    private: set[str] = field(default_factory=set)
    """Repositories that others do not see."""

    commits: list[Commit] = field(default_factory=list)
    """In order."""

    large: dict[str, bytes] = field(default_factory=dict)
    """SHA-256 -> content."""


@contextmanager
def serve_store(folder: Path, models: Mapping[str, Path] | None = None) -> Iterator[Store]:
    """Run a hub that takes, too, until the block ends.

    Args:
        folder: Where new repositories lie.
        models: As for `serve`; what is sent to one of them is written into its folder.
    """

    class Bound(_Taker):
        pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hub_server, "_Handler", Bound)
        with serve(models=models) as hub:
            Bound.store = Store(hub, folder)
            yield Bound.store


class _Taker(hub_server._Handler):
    store: ClassVar[Store]

    def do_PUT(self) -> None:
        self._take()

    def do_POST(self) -> None:
        self._take()

    def _take(self) -> None:
        hub, path, body = self.store.hub, unquote(urlsplit(self.path).path), self._body()
        hub.requests.append(f"{self.command} {path}")
        hub.headers.append({key.lower(): value for key, value in self.headers.items()})
        self.fault = self._fault_for(path)
        if self.fault.status is not None:
            return self._send(self.fault.content or b"{}", self.fault.headers, self.fault.status)
        if found := re.fullmatch(r"/store/([0-9a-f]{64})", path):
            self.store.large[found[1]] = body
            return self._send(b"", {})
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._refuse(401, "")
        if path == "/api/validate-yaml":
            return self._validate(json.loads(body)["content"])
        if path == "/api/repos/create":
            return self._create(**json.loads(body))
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/(preupload|commit)/main", path):
            act = self._preupload if found[2] == "preupload" else self._commit
            return act(found[1], body)
        if found := re.fullmatch(r"/[^/]+/[^/]+\.git/info/lfs/objects/batch", path):
            return self._batch(json.loads(body)["objects"])
        return self._refuse(404, "")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _validate(self, card: str) -> None:
        """What the hub itself looks at in the head of a card."""
        data = yaml.safe_load(card.split("---\n")[1])
        if not re.fullmatch(r"(\w[\w.-]*/)?\w[\w.-]*", data.get("base_model", "acme/base")):
            return self._told(400, {"errors": [{"message": '"base_model" must be a hub id'}]})
        for result in (result for model in data.get("model-index", []) for result in model["results"]):
            assert result["task"]["type"]
            assert {"type", "name"} <= result["dataset"].keys()
            assert all({"type", "value"} <= metric.keys() for metric in result["metrics"])
        return self._told(200, {"errors": [], "warnings": []})

    def _create(self, name: str, organization: str, visibility: str = "public") -> None:
        if organization != "acme":
            message = f'You don\'t have the rights to create a model under the namespace "{organization}"'
            return self._told(403, {"error": message})
        whole = f"{organization}/{name}"
        url = {"url": f"{self.store.hub.address}/{whole}"}
        if whole in self.store.hub.models:
            return self._told(409, {**url, "error": "You already created this model repo"})
        (self.store.folder / whole).mkdir(parents=True)
        self.store.hub.models[whole] = self.store.folder / whole
        if visibility == "private":
            self.store.private.add(whole)
        return self._told(200, url)

    def _preupload(self, name: str, body: bytes) -> None:
        def fate(file: dict[str, Any]) -> dict[str, Any]:
            path = self.store.hub.models[name] / file["path"]
            large = path.suffix in LARGE
            facts: dict[str, Any] = hub_server._facts(path) if path.is_file() else {}
            oid = facts["lfs"]["oid"] if large and facts else facts.get("oid")
            return {
                "path": file["path"],
                "uploadMode": "lfs" if large else "regular",
                "shouldIgnore": False,
                "oid": oid,
            }

        self._told(200, {"files": list(map(fate, json.loads(body)["files"]))})

    def _batch(self, objects: list[dict[str, Any]]) -> None:
        def fate(one: dict[str, Any]) -> dict[str, Any]:
            if one["oid"] in self.store.large:
                return one
            return {
                **one,
                "actions": {"upload": {"href": f"{self.store.hub.elsewhere}/store/{one['oid']}?Signature=x"}},
            }

        self._told(200, {"transfer": "basic", "objects": list(map(fate, objects))})

    def _commit(self, name: str, body: bytes) -> None:
        folder, commit = self.store.hub.models[name], Commit(name, "", [], [])
        for line in body.splitlines():
            match json.loads(line):
                case {"key": "header", "value": value}:
                    commit.summary = value["summary"]
                case {"key": "deletedFile", "value": value}:
                    (folder / value["path"]).unlink()
                    commit.removed.append(value["path"])
                case {"key": "file" | "lfsFile", "value": value}:
                    content = self.store.large[value["oid"]] if "oid" in value else base64.b64decode(value["content"])
                    (folder / value["path"]).parent.mkdir(exist_ok=True)
                    (folder / value["path"]).write_bytes(content)
                    commit.sent.append(value["path"])
        self.store.commits.append(commit)
        new = self.store.hub.commits[name] = hashlib.sha1(body, usedforsecurity=False).hexdigest()
        self._told(200, {"commitUrl": f"{self.store.hub.address}/{name}/commit/{new}", "commitOid": new})

    def _send_json(self, answer: Any) -> None:
        if isinstance(answer, dict) and "siblings" in answer:
            answer["private"] = answer["id"] in self.store.private
        super()._send_json(answer)

    def _told(self, status: int, answer: object) -> None:
        self._send(json.dumps(answer).encode(), {"Content-Type": "application/json"}, status)

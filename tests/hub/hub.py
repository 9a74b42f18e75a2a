"""A hub of one's own: a real HTTP server with the endpoints that ``huggingface_hub`` calls."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

TOKEN = "hf_only_for_this_test"
USER = "ada"
LARGE = (".safetensors", ".parquet")
"""What is uploaded as a large file, by its hash."""
_REPO = r"(?P<kind>models|datasets|spaces)/(?P<repo>[\w.-]+/[\w.-]+)"


@dataclass
class Repo:
    """One repository: its commits, newest last."""

    files: dict[str, bytes] = field(default_factory=dict)
    private: bool = False
    gated: bool = False
    older: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Revision -> files, besides the newest."""

    @property
    def commit(self) -> str:
        told = sorted((name, hashlib.sha1(data).hexdigest()) for name, data in self.files.items())
        return hashlib.sha1(json.dumps(told).encode()).hexdigest()

    def at(self, revision: str | None) -> tuple[str, dict[str, bytes]] | None:
        if revision in (None, "main", self.commit):
            return self.commit, self.files
        found = self.older.get(str(revision))
        return None if found is None else (Repo(found).commit, found)

    def keep(self, tag: str) -> None:
        """Call the present state by a tag, and by its commit."""
        self.older |= {tag: dict(self.files), self.commit: dict(self.files)}


@dataclass
class Hub:
    """What the server holds and what it was asked."""

    url: str
    repos: dict[str, Repo] = field(default_factory=dict)
    """``datasets/OWNER/NAME`` -> repository."""
    asked: list[str] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)


@contextmanager
def serve() -> Iterator[Hub]:
    """Serve an empty hub on this machine."""
    hub = Hub("")

    class Handler(_Handler):
        held = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    held: Hub
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_PUT = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path).lstrip("/")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.held.asked.append(f"{self.command} /{path}")
        if path == "api/whoami-v2":
            return self._json({"name": USER, "type": "user", "auth": {}}) if self._known() else (
                self._json({"error": "Invalid username or password."}, 401)
            )  # fmt: skip
        if path == "api/validate-yaml":
            return self._json({"errors": [], "warnings": []})
        if path == "api/repos/create":
            return self._create(json.loads(body))
        if found := re.fullmatch(rf"api/{_REPO}(/(?P<what>.*))?", path):
            return self._api(found, body)
        if found := re.fullmatch(r"lfs/(?P<oid>\w+)", path):
            self.held.blobs[found["oid"]] = body
            return self._json({})
        if found := re.fullmatch(r"(?P<at>.*)\.git/info/lfs/objects/batch", path):
            return self._lfs(json.loads(body))
        if found := re.fullmatch(
            r"(?P<kind>datasets/|spaces/|)(?P<repo>[\w.-]+/[\w.-]+)/resolve/(?P<at>[^/]+)/(?P<file>.*)",
            path,
        ):
            return self._file(found)
        return self._json({"error": f"no endpoint {path}"}, 404)

    def _known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _repo(self, name: str) -> Repo | None:
        repo = self.held.repos.get(name)
        if repo is None or (repo.private and not self._known()):
            self._json({"error": "Repository not found"}, 401, {"X-Error-Code": "RepoNotFound"})
            return None
        if repo.gated and not self._known():
            self._json({"error": "Access is restricted"}, 403, {"X-Error-Code": "GatedRepo"})
            return None
        return repo

    def _api(self, found: re.Match[str], body: bytes) -> None:
        repo = self._repo(f"{found['kind']}/{found['repo']}")
        if repo is None:
            return None
        what, _, rest = (found["what"] or "").partition("/")
        if what in ("", "revision", "tree", "paths-info"):
            revision, _, path = rest.partition("/")
            state = repo.at(revision or None)
            if state is None:
                return self._missing("RevisionNotFound")
            if what == "tree":
                return self._json(_tree(state[1], path))
            if what == "paths-info":
                wanted = json.loads(body)["paths"]
                return self._json([e for e in _tree(state[1], "") if e["path"] in wanted])
            return self._json(_info(found["repo"], repo, *state))
        if not self._known():
            return self._json({"error": "Unauthorized"}, 401)
        if what == "preupload":
            files = [
                {
                    "path": f["path"],
                    "uploadMode": "lfs" if f["path"].endswith(LARGE) else "regular",
                    "shouldIgnore": False,
                }
                for f in json.loads(body)["files"]
            ]
            return self._json({"files": files})
        if what == "commit":
            return self._commit(found["kind"], found["repo"], repo, body)
        return self._json({"error": f"no endpoint {what}"}, 404)

    def _commit(self, kind: str, name: str, repo: Repo, body: bytes) -> None:
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                repo.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                repo.files[value["path"]] = self.held.blobs[value["oid"]]
            elif line["key"] == "deletedFile":
                del repo.files[value["path"]]
        url = f"{self.held.url}/{kind}/{name}/commit/{repo.commit}"
        return self._json({"success": True, "commitOid": repo.commit, "commitUrl": url})

    def _create(self, asked: dict[str, Any]) -> None:
        if not self._known():
            return self._json({"error": "Unauthorized"}, 401)
        owner = asked.get("organization") or USER
        kind = asked.get("type") or "model"
        private = asked.get("private", asked.get("visibility") == "private")
        self.held.repos[f"{kind}s/{owner}/{asked['name']}"] = Repo(private=bool(private))
        return self._json({"url": f"{self.held.url}/{kind}s/{owner}/{asked['name']}"})

    def _lfs(self, asked: dict[str, Any]) -> None:
        objects = [
            {**o, "actions": {"upload": {"href": f"{self.held.url}/lfs/{o['oid']}"}}}
            for o in asked["objects"]
        ]
        return self._json({"transfer": "basic", "objects": objects})

    def _file(self, found: re.Match[str]) -> None:
        repo = self._repo(f"{(found['kind'] or 'models/')}{found['repo']}")
        if repo is None:
            return None
        state = repo.at(found["at"])
        if state is None:
            return self._missing("RevisionNotFound")
        commit, files = state
        if found["file"] not in files:
            return self._missing("EntryNotFound")
        data = files[found["file"]]
        about = {"X-Repo-Commit": commit, "ETag": f'"{hashlib.sha1(data).hexdigest()}"'}
        return self._send(data, 200, about)

    def _json(self, value: Any, status: int = 200, more: dict[str, str] | None = None) -> None:
        about = {"Content-Type": "application/json", **(more or {})}
        self._send(json.dumps(value).encode(), status, about)

    def _missing(self, code: str) -> None:
        self._json({"error": "not there"}, 404, {"X-Error-Code": code})

    def _send(self, data: bytes, status: int, more: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in more.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _tree(files: dict[str, bytes], path: str) -> list[dict[str, Any]]:
    """Everything below ``path``, folders too."""
    inside = {n: d for n, d in files.items() if n.startswith(f"{path}/" if path else "")}
    folders = {"/".join(n.split("/")[:k]) for n in inside for k in range(1, n.count("/") + 1)}
    return [
        *({"type": "directory", "path": f, "oid": "0", "size": 0} for f in sorted(folders)),
        *(
            {"type": "file", "path": n, "size": len(d), "oid": hashlib.sha1(d).hexdigest()}
            for n, d in sorted(inside.items())
        ),
    ]


def _info(name: str, repo: Repo, commit: str, files: dict[str, bytes]) -> dict[str, Any]:
    card = files.get("README.md", b"").decode()
    head = yaml.safe_load(card.split("---")[1]) if card.startswith("---") else None
    return {
        "id": name,
        "sha": commit,
        "private": repo.private,
        "gated": repo.gated,
        "siblings": [{"rfilename": n} for n in sorted(files)],
        "tags": list((head or {}).get("tags") or ()),
        "cardData": head,
    }

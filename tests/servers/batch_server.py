"""A real server with ``/v1/files`` and ``/v1/batches`` as OpenAI documents them, and no chat."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.benchmark.judge import completion


@dataclass
class Batches:
    """What the server holds; ``ready``: whether batches are done when they are looked at."""

    url: str = ""
    ready: bool = True
    ends: str = "completed"
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    looked: int = 0


@contextmanager
def serve(answer: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Iterator[Batches]:
    """Answer each line by ``answer(body)`` (``text``, or ``status``; None: not at all)."""
    held = Batches()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/files":
                name = f"file-{len(held.files)}"
                boundary = re.search(r"boundary=([^;]+)", self.headers["Content-Type"])[1]  # type: ignore[index]
                part = next(p for p in body.split(boundary.encode()) if b"filename=" in p)
                held.files[name] = part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n--")
                return self._json({**FILE, "id": name})
            if self.path == "/v1/batches":
                name = f"batch-{len(held.batches)}"
                held.batches[name] = {**BATCH, **json.loads(body), "id": name}
                return self._json(held.batches[name])
            return self._json({"error": {"message": "not here"}}, 404)

        def do_GET(self) -> None:
            if found := re.fullmatch(r"/v1/files/(.+)/content", self.path):
                return self._send(held.files[found[1]], "application/octet-stream")
            if found := re.fullmatch(r"/v1/batches/([^?]+)", self.path):
                held.looked += 1
                batch = held.batches[found[1]]
                if held.ready and batch["status"] != held.ends:
                    batch |= {"status": held.ends, "output_file_id": self._answered(batch)}
                return self._json(batch)
            newest = list(held.batches.values())[::-1]
            return self._json({"object": "list", "data": newest, "has_more": False})

        def _answered(self, batch: dict[str, Any]) -> str:
            lines = []
            for line in held.files[batch["input_file_id"]].splitlines():
                asked = json.loads(line)
                assert (asked["method"], asked["url"]) == ("POST", "/v1/chat/completions")
                said = answer(asked["body"])
                if said is None:
                    continue
                status = said.get("status", 200)
                body = completion(said) if status == 200 else {"error": {"message": "try later"}}
                response = {"status_code": status, "request_id": "r", "body": body}
                lines.append({"id": "x", "custom_id": asked["custom_id"], "response": response})
            name = f"file-{len(held.files)}"
            lines.reverse()  # they come in any order
            held.files[name] = "\n".join(map(json.dumps, lines)).encode()
            return name

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _json(self, value: Any, status: int = 200) -> None:
            self._send(json.dumps(value).encode(), "application/json", status)

        def _send(self, data: bytes, kind: str, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.url = f"http://127.0.0.1:{httpd.server_port}/v1"
    threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield held
    finally:
        httpd.shutdown()
        httpd.server_close()


FILE = {"object": "file", "bytes": 1, "created_at": 0, "filename": "f", "purpose": "batch",
        "status": "processed"}  # fmt: skip
BATCH = {"object": "batch", "created_at": 0, "status": "in_progress"}

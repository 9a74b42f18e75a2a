"""A real HTTP judge on this machine: an OpenAI-compatible chat server with faults on demand."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[[int, dict[str, Any]], dict[str, Any]]
"""Number of the request from 1 and its body -> ``text`` or ``status``; see :func:`serve`."""


@dataclass
class Server:
    """The address and what was asked."""

    url: str
    asked: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def serve(behave: Behaviour) -> Iterator[Server]:
    """Serve ``/v1/chat/completions`` until the block ends.

    ``behave`` returns a dict: ``text`` (the answer), or ``status`` (an error), ``hang_up`` (close
    without an answer), with optional ``finish``, ``top`` (first token's candidates); ``message``
    and ``choice`` (fields of theirs), ``body`` (JSON) or ``raw`` (bytes) in the answer's place, of
    which ``withheld`` bytes are announced and never sent. ``headers`` are added; the pieces of
    ``drip`` are sent as they come, in place of the body or, with ``early``, of the whole answer.
    """
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                server.asked.append(body)
                number = len(server.asked)
            said = behave(number, body)
            if said.get("hang_up"):
                self.close_connection = True
                return
            if said.get("early"):
                self._drip(said["drip"])
                return
            status = said.get("status", 200)
            usual = completion(said) if status == 200 else {"error": {"message": "try later"}}
            data = said.get("raw") or json.dumps(said.get("body", usual)).encode()
            self.send_response(status)
            self.send_header("Content-Type", said.get("type", "application/json"))
            if "drip" not in said:
                self.send_header("Content-Length", str(len(data) + said.get("withheld", 0)))
            self.close_connection = bool(said.get("withheld"))
            if status == 429:
                self.send_header("Retry-After", "0")
            for name, value in said.get("headers", {}).items():
                self.send_header(name, value)
            self.end_headers()
            self._drip(said.get("drip", ())) if "drip" in said else self.wfile.write(data)

        def _drip(self, pieces: Iterable[bytes]) -> None:
            self.close_connection = True
            with suppress(OSError):  # whoever asked went away
                for piece in pieces:
                    self.wfile.write(piece)
                    self.wfile.flush()

        def log_message(self, *_: object) -> None:
            return

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            return  # whoever asked went away

    httpd = Quiet(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    server = Server(f"http://127.0.0.1:{httpd.server_port}/v1")
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def completion(said: dict[str, Any]) -> dict[str, Any]:
    choice: dict[str, Any] = {
        "index": 0,
        "message": {"role": "assistant", "content": said.get("text"), **said.get("message", {})},
        "finish_reason": said.get("finish", "stop"),
        **said.get("choice", {}),
    }
    if "top" in said:
        top = [{"token": t, "logprob": p, "bytes": None} for t, p in said["top"].items()]
        choice["logprobs"] = {"content": [{**top[0], "top_logprobs": top}], "refusal": None}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "judge",
        "choices": [choice],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    }

"""What a hostile or broken chat server sends: every kind of bad reply, by name.

``{away}`` in a header stands for the address of another server, which nobody may ask.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

SECRET = "sk-hostile-0123456789abcdef"

Reply = dict[str, Any]


def _slowly(piece: bytes, pause_s: float = 0.05) -> Iterator[bytes]:
    for _ in range(600):  # half a minute: far longer than anybody waits here
        yield piece
        time.sleep(pause_s)


def _endless(piece: bytes) -> Iterator[bytes]:
    return itertools.repeat(piece)


def _said(content: Any, **more: Any) -> Reply:
    return {"body": {"choices": [{"message": {"role": "assistant", "content": content}, **more}]}}


def _redirect(status: int) -> Reply:
    return {"status": status, "headers": {"Location": "{away}"}}


REPLIES: dict[str, Reply] = {
    "null content": _said(None),
    "a number": _said(8),
    "a list of lists": _said([[["8"]]]),
    "an object": _said({"text": "8"}),
    "half a character": {"raw": b'{"choices":[{"message":{"content":"\\ud800"}}]}'},
    "no JSON": {"raw": b"<html><script>alert(1)</script>", "type": "text/html"},
    "cut JSON": {"raw": b'{"choices": [{"mess'},
    "cut body": {"raw": b'{"choices"', "withheld": 10_000},
    "nothing": {"raw": b" "},
    "deep": {"raw": b"[" * 50_000},
    "a list": {"body": [{"choices": []}]},
    "no choices": {"body": {"choices": None}},
    "not UTF-8": {"raw": b'{"choices":[{"message":{"content":"\xff\xfe"}}]}'},
    "digits without end": _said("9" * 50_000),
    "not a number": _said("NaN"),
    "negative": _said("-5"),
    "terminal escapes": _said("\x1b[2J\x1b]0;owned\x07 \u202e"),
    "markup": _said("<img src=x onerror=alert(1)> [8](javascript:alert(1))"),
    "a formula": _said("=HYPERLINK(\"http://evil\")"),
    "its thoughts": _said(f"<think>{'so ' * 2000}"),
    "tool call": _said(None, tool_calls=[{"id": "1"}]),
    "the key": _said(f"Your key is {SECRET}."),
    "the key in an error": {
        "status": 400, "body": {"error": {"message": f"Bearer {SECRET} has no credit"}},
    },
    "the key in a page": {"status": 500, "raw": f"<b>{SECRET}</b>".encode(), "type": "text/html"},
    "odd usage": {"body": {**_said("{", index="x")["body"], "usage": {"prompt_tokens": -1e999}}},
    "odd error": {"status": 422, "body": [[1]]},
    "cut error": {"status": 400, "raw": b'{"error"', "withheld": 10_000},
    "hang up": {"hang_up": True},
    "moved": _redirect(301),
    "moved with its body": _redirect(307),
    "moved for good": _redirect(308),
    "moved in a circle": {"status": 307, "headers": {"Location": "/v1/chat/completions"}},
    "moved to a file": {"status": 307, "headers": {"Location": "file:///etc/passwd"}},
    "huge headers": {"text": "8", "headers": {f"X-{k}": "x" * 4000 for k in range(60)}},
    "a header of nothing": {"early": True, "drip": [b"HTTP/1.1 200 OK\r\n: \r\n\r\n{}"]},
    "no HTTP": {"early": True, "drip": [b"\x00\x01\x02 SSH-2.0-OpenSSH\r\n"]},
    "half a header": {"early": True, "drip": [b"HTTP/1.1 200 OK\r\nContent-Le"]},
    "a packed bomb": {
        "raw": b"\x1f\x8b not gzip at all", "headers": {"Content-Encoding": "gzip"},
    },
}  # fmt: skip
"""At once there; what takes its time is in SLOW."""

SLOW: dict[str, Callable[[], Reply]] = {
    "slow drip": lambda: {"drip": _slowly(b" ")},
    "slow header": lambda: {"early": True, "drip": _slowly(b"X-A: b\r\n")},
    "slow error": lambda: {"status": 500, "drip": _slowly(b"x")},
    "endless body": lambda: {"drip": _endless(b" " * 65536)},
    "endless error": lambda: {"status": 400, "drip": _endless(b"x" * 65536)},
    "endless header": lambda: {"early": True, "drip": _endless(b"X-A: " + b"b" * 1000 + b"\r\n")},
    "endless word": lambda: {
        "drip": itertools.chain([b'{"choices":[{"message":{"content":"'], _endless(b"8" * 65536))
    },
}


def sent(reply: Reply, away: str) -> Reply:
    """``reply`` with the address of the other server put in."""
    headers = {k: v.replace("{away}", away) for k, v in reply.get("headers", {}).items()}
    return {**reply, "headers": headers}


def plain(text: str) -> Reply:
    """What an honest server says."""
    return json.loads(json.dumps(_said(text)))

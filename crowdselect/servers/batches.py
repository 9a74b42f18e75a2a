"""The Batch API of OpenAI-compatible servers: many requests as one file, answered within a day.

Where ``servers.toml`` says that a server has it, requests go there in place of one by one, at the
share of the price that stands there. A batch that was sent is written down beside the cache, so
that whoever was killed while it waited collects it at the next start and sends nothing twice; one
that was sent in the moment of the kill is found again at the server by its label.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdselect import files
from crowdselect.errors import CrowdSelectError
from crowdselect.keys import read_key
from crowdselect.registry import content_key
from crowdselect.servers import transport
from crowdselect.servers.cache import RequestCache
from crowdselect.servers.config import ServerConfig
from crowdselect.servers.replies import error_words, one_line, read_reply
from crowdselect.servers.values import REFUSED, SERVERS_FAULT, ChatReply, ChatRequest

MOST_REQUESTS = 20_000
"""Of one batch; servers take up to 50,000."""
MOST_BYTES = 90 << 20
"""Of what is sent as one file; servers take 100 to 200 MB."""
MOST_TOKENS = 8_000_000
"""That the answers of one batch may hold together: their file must fit an answer that is read."""
POLL_S = 5.0
LONGEST_POLL_S = 60.0
PATH = "/v1/chat/completions"
LABEL = "crowdselect"
_OVER = ("completed", "failed", "expired", "cancelled")
_SEARCHED = 100
"""Newest batches at the server among which a label is looked for."""

Deliver = Callable[[ChatRequest, ChatReply], None]


def ask_in_batches(
    config: ServerConfig,
    requests: Sequence[ChatRequest],
    deliver: Deliver,
    *,
    cache: RequestCache,
    heartbeat: Callable[[], None],
) -> None:
    """Ask requests that ``cache`` does not hold by the Batch API; replies come when it is done.

    ``heartbeat`` may raise to stop: what was sent goes on at the server and is collected by the
    next call with the same requests. Raises CrowdSelectError where the server has no Batch API,
    cannot be reached or refuses the whole.
    """
    asyncio.run(_ask(config, requests, deliver, cache, heartbeat))


async def _ask(
    config: ServerConfig,
    requests: Sequence[ChatRequest],
    deliver: Deliver,
    cache: RequestCache,
    heartbeat: Callable[[], None],
) -> None:
    import openai

    where = config.base_url or "the default server"
    async with openai.AsyncOpenAI(
        api_key=read_key(config.api_key_variable) or "none",
        base_url=config.base_url,
        max_retries=config.retries,
        timeout=config.timeout_s,
        http_client=transport.http_client(timeout=config.timeout_s),
    ) as client:
        try:
            parts = list(_parts(config, requests, cache))
            sent = [await _sent(client, part) for part in parts]
            for part, batch in zip(parts, sent, strict=True):
                await _collect(client, config, part, batch, deliver, cache, heartbeat)
        except openai.NotFoundError as error:
            raise CrowdSelectError(
                f"{where} has no Batch API: {one_line(str(error))}.",
                "Take batch out of its entry in servers.toml: requests then go one by one.",
            ) from error
        except openai.APIError as error:
            raise CrowdSelectError(
                f"{where} does not take the batch: {one_line(str(error))}.",
                "What was sent goes on there; run it again to collect it.",
            ) from error


@dataclass(frozen=True)
class _Part:
    """The requests of one batch, by ids that stay the same over starts."""

    requests: dict[str, ChatRequest]
    data: bytes
    record: Path | None
    """Where it is written down that it was sent."""

    @property
    def label(self) -> str:
        """What names it at the server."""
        return content_key(sorted(self.requests), 24)


_Lines = dict[str, tuple[ChatRequest, bytes]]


def _parts(
    config: ServerConfig, requests: Sequence[ChatRequest], cache: RequestCache
) -> Iterator[_Part]:
    """The requests as batches: those that an earlier start sent first, as they were."""
    lines = _lines(config, requests, cache)
    kept = None if cache.folder is None else cache.folder / "batches"
    for record in sorted(kept.glob("*.json")) if kept is not None else ():
        ids = files.read_json(record)["ids"]
        if set(ids) <= set(lines):
            yield _part({name: lines.pop(name) for name in ids}, kept)
    found: _Lines = {}
    size = tokens = 0
    for name, (request, line) in lines.items():
        full = len(found) == MOST_REQUESTS or size + len(line) > MOST_BYTES
        if found and (full or tokens + request.max_tokens > MOST_TOKENS):
            yield _part(found, kept)
            found, size, tokens = {}, 0, 0
        found[name] = (request, line)
        size, tokens = size + len(line), tokens + request.max_tokens
    if found:
        yield _part(found, kept)


def _part(lines: _Lines, kept: Path | None) -> _Part:
    requests = {name: request for name, (request, _) in lines.items()}
    data = b"".join(line for _, line in lines.values())
    name = f"{content_key(sorted(requests), 24)}.json"
    return _Part(requests, data, None if kept is None else kept / name)


def _lines(config: ServerConfig, requests: Sequence[ChatRequest], cache: RequestCache) -> _Lines:
    """Each request's line of the file, by an id of what is asked and of whom."""
    habits = cache.habits(config)
    lines: _Lines = {}
    for request in requests:
        body = habits.arguments(config, request)
        key = content_key([config.base_url, body], 24)
        same = 0
        while (name := f"{key}-{same}") in lines:
            same += 1
        asked = {"custom_id": name, "method": "POST", "url": PATH, "body": body}
        lines[name] = (request, json.dumps(asked, ensure_ascii=False).encode() + b"\n")
    return lines


async def _sent(client: Any, part: _Part) -> str:
    """The batch's id at the server: of an earlier start, or sent now."""
    told: dict[str, Any] = {"batch": None, "ids": sorted(part.requests)}
    if part.record is not None and part.record.exists():
        known = files.read_json(part.record).get("batch")
        if known:
            return str(known)
        async for batch in _newest(client):
            if (batch.metadata or {}).get(LABEL) == part.label:
                return str(batch.id)
    if part.record is not None:
        files.write_json(part.record, told)
    name = f"{part.label}.jsonl"
    uploaded = await client.files.create(file=(name, io.BytesIO(part.data)), purpose="batch")
    batch = await client.batches.create(
        input_file_id=uploaded.id,
        endpoint=PATH,
        completion_window="24h",
        metadata={LABEL: part.label},
    )
    if part.record is not None:
        files.write_json(part.record, {**told, "batch": batch.id})
    return str(batch.id)


async def _newest(client: Any) -> Any:
    seen = 0
    async for batch in client.batches.list(limit=_SEARCHED):
        yield batch
        seen += 1
        if seen == _SEARCHED:
            return


async def _collect(
    client: Any,
    config: ServerConfig,
    part: _Part,
    batch_id: str,
    deliver: Deliver,
    cache: RequestCache,
    heartbeat: Callable[[], None],
) -> None:
    """Wait for a batch and hand over its replies; who got none gets a problem."""
    pause = POLL_S
    while (batch := await client.batches.retrieve(batch_id)).status not in _OVER:
        for _ in range(max(1, round(pause))):
            await asyncio.sleep(min(1.0, pause))
            heartbeat()
        pause = min(LONGEST_POLL_S, pause * 1.5)
    replies: dict[str, ChatReply] = {}
    for file in (batch.output_file_id, batch.error_file_id):
        if file:
            content = await client.files.content(file)
            replies |= dict(_replies(content.content, part.requests))
    lost = ChatReply("", f"{SERVERS_FAULT}gave no answer in a batch that {_end(batch)}",
                     finished=False)  # fmt: skip
    for name, request in part.requests.items():
        reply = replies.get(name, lost)
        cache.put(config, request, reply)
    if part.record is not None:  # whatever failed is sent anew next time
        part.record.unlink(missing_ok=True)
    for name, request in part.requests.items():
        deliver(request, replies.get(name, lost))


def _end(batch: Any) -> str:
    told = getattr(batch.errors, "data", None) or ()
    words = next((one_line(e.message) for e in told if e.message), "")
    return f"{batch.status}: {words}" if words else str(batch.status)


def _replies(data: bytes, asked: dict[str, ChatRequest]) -> Iterator[tuple[str, ChatReply]]:
    """Replies by the request's id, of lines that hold one; others are left out."""
    for line in data.splitlines():
        try:
            found = json.loads(line)
            request = asked[found["custom_id"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        answer = found.get("response")
        if found.get("error") or not isinstance(answer, dict):
            words = error_words(found.get("error") or "no response")
            yield found["custom_id"], ChatReply("", f"{REFUSED}: {words}", finished=False)
        elif answer.get("status_code") != 200:
            words = error_words(answer.get("body"))
            yield found["custom_id"], ChatReply("", f"{REFUSED}: {words}", finished=False)
        else:
            body = json.dumps(answer.get("body")).encode()
            yield found["custom_id"], read_reply(body, request.max_tokens)

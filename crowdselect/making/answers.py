"""One model answers prompts, on this machine or at a server; what it answered is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from crowdselect.engines import OnEngine
from crowdselect.lm import packaged
from crowdselect.lm.answering import answer_all, answered_here, answered_on, loaded_first
from crowdselect.lm.generation import Request
from crowdselect.lm.identity import model_identity
from crowdselect.lm.journal import Journal
from crowdselect.lm.messages import Message
from crowdselect.lm.models import Checkpoint, LocalModel, check_folder
from crowdselect.options import Frozen, Option
from crowdselect.progress import Progress
from crowdselect.registry import content_key
from crowdselect.servers import (
    ADDRESS,
    CONCURRENCY,
    KEY_VARIABLE,
    RequestCache,
    ServerConfig,
    answered_there,
    is_final,
)

PROTOCOL = 1
"""Raised whenever the same options would give other answers."""
Prompt = tuple[Message, ...]


class Answerer(Frozen):
    """A model that answers."""

    name: str
    """What the crowd calls it; family and size are told from it."""
    model: str
    """Folder or hub id, or the served name."""
    base_url: Annotated[str | None, ADDRESS] = None
    """OpenAI-compatible server; None: vLLM where it is installed with a GPU, else transformers."""
    batch: Annotated[bool, Option(flag=None)] = False
    """Whether the server is asked by its Batch API (``servers.toml``)."""


def answerer_from_text(text: str) -> Answerer:
    """``MODEL``, or ``NAME=MODEL``; without a name the last part of the model's."""
    name, sign, model = text.partition("=")
    if sign:
        return Answerer(name=name.strip(), model=model.strip())
    known = packaged.PACKAGED.get(text)
    return Answerer(name=known.folder if known else Path(text).name, model=text)


ANSWERERS = Option(
    help="Folder, hub id, served name or smollm2; or NAME=MODEL",
    flag="--model",
    short="-m",
    parse=answerer_from_text,
)


class GenerateConfig(OnEngine):
    """What a generating job does."""

    source: Annotated[str, Option(flag=None)]
    """A crowd's name, or a file of instructions (JSONL, JSON, CSV, Parquet)."""
    name: Annotated[str, Option(flag=None)]
    """The crowd to make or to extend."""
    answerers: Annotated[tuple[Answerer, ...], ANSWERERS, Field(min_length=1)]
    concurrency: Annotated[int, CONCURRENCY, Field(ge=1, le=512)] = 8
    api_key_variable: Annotated[str, KEY_VARIABLE] = "OPENAI_API_KEY"
    retries: Annotated[int, Option(flag=None), Field(ge=0)] = 6
    """Further attempts at a request to a server."""
    system: Annotated[str, Option(help="System message of every question")] = ""
    """Of prompts that have none of their own."""
    max_new_tokens: Annotated[
        int, Option(help="Longest answer", label="Longest answer, tokens"), Field(ge=1)
    ] = 1024
    temperature: Annotated[float, Option(help="0 = always the likeliest token"), Field(ge=0)] = 0.0
    seed: Annotated[int, Option(help="Seed of everything random")] = 42
    batch_tokens: Annotated[int, Option(help="Padded tokens of one batch"), Field(ge=8)] = 8192
    limit: Annotated[int | None, Option(help="Only so many instructions"), Field(ge=1)] = None
    """The first ones."""
    trust_remote_code: Annotated[bool, Option(help="Let a hub model run its own code here")] = False

    @field_validator("answerers")
    @classmethod
    def _different(cls, answerers: tuple[Answerer, ...]) -> tuple[Answerer, ...]:
        names = [a.name for a in answerers]
        if len(set(names)) < len(names):
            raise ValueError("two models have the same name; give NAME=MODEL")
        return answerers


def check_answerer(config: GenerateConfig, answerer: Answerer) -> None:
    """Raise for what can be seen of a wrong answerer before the start."""
    if answerer.base_url is None:
        check_folder(answerer.model)
    else:
        _server(config, answerer)


def make_answers(
    config: GenerateConfig,
    answerer: Answerer,
    prompts: Sequence[Prompt],
    cache: Path,
    progress: Progress,
    label: str,
) -> None:
    """Let one model answer what ``cache`` does not hold yet; equal prompts are answered once.

    What a server refused is not kept. Raises as ``load_causal`` or ``ask_all``.
    """
    requests = [
        Request(_key(prompt), _asked(config, prompt), config.temperature) for prompt in prompts
    ]
    journal = _journal(cache, config, answerer)
    if answerer.base_url:
        make = answered_there(
            _server(config, answerer),
            max_new_tokens=config.max_new_tokens,
            seed_of=lambda request: config.seed,
            cache=RequestCache(cache / "replies"),
        )
        answer_all(journal, requests, make, progress, label=label, keep=is_final)
        return
    checkpoint = Checkpoint(answerer.model, trust_remote_code=config.trust_remote_code)
    how: dict[str, Any] = {
        "max_new_tokens": config.max_new_tokens,
        "seed": config.seed,
        "batch_tokens": config.batch_tokens,
    }
    if config.engine == "ray":
        make = answered_on(config.pool, checkpoint, **how)
        answer_all(journal, requests, make, progress, label=label)
        return
    model = LocalModel(checkpoint)
    make = answered_here(model, **how)
    answer_all(
        journal, requests, make, progress, label=label, prepare=loaded_first(model, progress)
    )


def kept_answers(
    config: GenerateConfig, answerer: Answerer, prompts: Sequence[Prompt], cache: Path
) -> list[Mapping[str, Any]]:
    """What :func:`make_answers` has kept so far (text, finished, problem), {} for no answer yet."""
    journal = _journal(cache, config, answerer)
    return [journal.get(_key(prompt)) or {} for prompt in prompts]


def _server(config: GenerateConfig, answerer: Answerer) -> ServerConfig:
    return ServerConfig(
        model=answerer.model,
        base_url=answerer.base_url,
        api_key_variable=config.api_key_variable,
        concurrency=config.concurrency,
        retries=config.retries,
        batch=answerer.batch,
    )


def _asked(config: GenerateConfig, prompt: Prompt) -> Prompt:
    own = any(message["role"] == "system" for message in prompt)
    system = ({"role": "system", "content": config.system},) if config.system and not own else ()
    return (*system, *prompt)


def _key(prompt: Prompt) -> str:
    """Names a prompt in the journal; one that is a question alone goes by its text."""
    if [message["role"] for message in prompt] == ["user"]:
        return content_key(prompt[0]["content"], 32)
    return content_key(list(prompt), 32)


def _journal(cache: Path, config: GenerateConfig, answerer: Answerer) -> Journal:
    """Where a model's answers under these options are kept, shared by all crowds."""
    identity = "" if answerer.base_url else model_identity(answerer.model)
    who = [answerer.model, urlsplit(answerer.base_url or "").netloc, identity]
    how = [config.system, config.max_new_tokens, config.temperature, config.seed]
    return Journal(cache / f"{content_key([PROTOCOL, who, how], 24)}.jsonl")

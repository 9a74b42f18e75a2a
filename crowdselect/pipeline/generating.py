"""Instructions -> a crowd: models answer them, one model after the other; resumable."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from crowdselect import jobs
from crowdselect.benchmark.conversations import read_rows
from crowdselect.benchmark.generate import Answer, Request, generate
from crowdselect.benchmark.journal import Journal
from crowdselect.benchmark.subject import Subject, SubjectConfig, check_folder
from crowdselect.errors import InputError
from crowdselect.ingest.columns import IDS, TEXTS
from crowdselect.jobs import Job
from crowdselect.pipeline.growing import Given, grow_crowd
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.pipeline.scoring import check_source
from crowdselect.registry import content_key
from crowdselect.scoring.language_model import model_files
from crowdselect.servers import ChatReply, ChatRequest, RequestCache, ServerConfig, ask_all
from crowdselect.settings import Workspace, check_name
from crowdselect.values import Frozen

Take = Callable[[str, Answer], None]
PROTOCOL = 1
"""Raised whenever the same options would give other answers."""


class Answerer(Frozen):
    """A model that answers."""

    name: str
    """What the crowd calls it; family and size are told from it."""
    model: str
    """Folder or hub id, or the served name."""
    base_url: str | None = None
    """OpenAI-compatible server; None: vLLM where it is installed with a GPU, else transformers."""


class GenerateConfig(Frozen):
    """What a generating job does."""

    source: str
    """A crowd's name, or a file of instructions (JSONL, JSON, CSV, Parquet)."""
    name: str
    """The crowd to make or to extend."""
    answerers: tuple[Answerer, ...] = Field(min_length=1)
    system: str = ""
    max_new_tokens: int = Field(default=1024, ge=1)
    temperature: float = Field(default=0.0, ge=0)
    seed: int = 42
    batch_tokens: int = Field(default=8192, ge=8)
    concurrency: int = Field(default=8, ge=1, le=512)
    retries: int = Field(default=6, ge=0)
    """Further attempts at a request to a server."""
    api_key_variable: str = "OPENAI_API_KEY"
    limit: int | None = Field(default=None, ge=1)
    """Only the first instructions are answered."""
    trust_remote_code: bool = False

    @field_validator("answerers")
    @classmethod
    def _different(cls, answerers: tuple[Answerer, ...]) -> tuple[Answerer, ...]:
        names = [a.name for a in answerers]
        if len(set(names)) < len(names):
            raise ValueError("two models have the same name; give NAME=MODEL")
        return answerers


def create_generate(workspace: Workspace, config: GenerateConfig) -> Path:
    """Make the run directory of a generating job; raises at once for what can be seen before."""
    check_source(config.source)
    check_name("crowd", config.name)
    for answerer in config.answerers:
        if answerer.base_url is None:
            check_folder(answerer.model)
        else:
            _server(config, answerer)
    _instructions(workspace, config)
    exists = config.name in workspace.crowd_names()
    if exists and config.source != config.name:
        raise InputError(
            f"There is a crowd called {config.name!r} already.",
            f"Choose another --name, or extend it: crowdselect crowd generate {config.name}",
        )
    return jobs.create(workspace, "generate", config.model_dump(mode="json"))


def run_generate_job(job: Job) -> None:
    """Worker of ``crowdselect crowd generate``; the crowd grows with every model that is done.

    What a model has answered when the job is cancelled or fails goes into the crowd, too.
    """
    config = GenerateConfig.parse(job.config, str(job.path / "config.json"))
    given = _instructions(job.workspace, config)
    asked = given.texts[: config.limit]
    for number, answerer in enumerate(config.answerers, start=1):
        label = f"{answerer.name} ({number} of {len(config.answerers)})"
        journal = _journal(job.workspace, config, answerer)
        try:
            _answer(job, config, answerer, journal, asked, label)
        finally:
            answers = [journal.get(_key(text)) or {} for text in asked]
            texts = [a.get("text") or None for a in answers]
            if any(texts):
                grow_crowd(job.workspace, config.name, given, answerer.name, texts)
        job.event(
            "answered",
            crowd=config.name,
            model=answerer.name,
            answers=sum(t is not None for t in texts),
            cut=sum(bool(a.get("text")) and not a["finished"] for a in answers),
            without=sum(t is None for t in texts),
        )


def _answer(
    job: Job,
    config: GenerateConfig,
    answerer: Answerer,
    journal: Journal,
    texts: Sequence[str],
    label: str,
) -> None:
    """Let one model answer what its journal does not hold yet; equal texts are answered once."""
    unique = dict.fromkeys(texts)
    todo = [text for text in unique if _key(text) not in journal]
    done = len(unique) - len(todo)
    job.progress(done, len(unique), label)

    def take(key: str, answer: Answer) -> None:
        journal.add(key, dataclasses.asdict(answer))
        nonlocal done
        done += 1
        job.progress(done, len(unique), label)

    if not todo:
        return
    if answerer.base_url:
        _from_server(job, config, answerer, todo, take)
        return
    subject = Subject(
        SubjectConfig(
            name=answerer.name, model=answerer.model, trust_remote_code=config.trust_remote_code
        )
    )
    requests = [Request(_key(t), _messages(config, t), config.temperature) for t in todo]
    generate(
        subject,
        requests,
        take,
        max_new_tokens=config.max_new_tokens,
        seed=config.seed,
        batch_tokens=config.batch_tokens,
    )


def _from_server(
    job: Job, config: GenerateConfig, answerer: Answerer, texts: Sequence[str], take: Take
) -> None:
    server = _server(config, answerer)
    requests = [
        ChatRequest(
            _key(text),
            _messages(config, text),
            config.max_new_tokens,
            config.temperature,
            config.seed,
        )
        for text in texts
    ]

    def deliver(request: ChatRequest, reply: ChatReply) -> None:
        if reply.text or reply.finished:
            problem = "" if reply.text else reply.problem
            take(request.key, Answer(reply.text, reply.completion_tokens, reply.finished, problem))

    cache = RequestCache(job.workspace.cache / "answers" / "replies")
    ask_all(server, requests, deliver, cache=cache)


def _server(config: GenerateConfig, answerer: Answerer) -> ServerConfig:
    return ServerConfig(
        model=answerer.model,
        base_url=answerer.base_url,
        api_key_variable=config.api_key_variable,
        concurrency=config.concurrency,
        retries=config.retries,
    )


def _instructions(workspace: Workspace, config: GenerateConfig) -> Given:
    """The instructions of a crowd or a file; raises InputError where there are none."""
    path = Path(config.source).expanduser()
    if not path.is_file():
        crowd = open_crowd(workspace, config.source)
        ids = [str(i) for i in crowd.ids]
        return Given(ids, crowd.instruction_texts(), crowd.extra_columns())
    ids, texts = [], []
    for number, row in read_rows(path):
        named = {str(k).lower(): v for k, v in row.items()}
        text = next((named[c] for c in TEXTS if named.get(c)), None)
        if not isinstance(text, str):
            raise InputError(
                f"{path}, row {number} has no instruction; found {', '.join(row) or 'nothing'}.",
                f"Call the column one of: {', '.join(TEXTS)}.",
            )
        key = next((named[c] for c in IDS if named.get(c) not in (None, "")), number)
        ids.append(str(key))
        texts.append(text)
    if not texts:
        raise InputError(f"{path} holds no instructions.", "Give a file that is not empty.")
    return Given(ids, texts, {})


def _messages(config: GenerateConfig, text: str) -> tuple[dict[str, str], ...]:
    system = ({"role": "system", "content": config.system},) if config.system else ()
    return (*system, {"role": "user", "content": text})


def _key(text: str) -> str:
    return content_key(text, 32)


def _journal(workspace: Workspace, config: GenerateConfig, answerer: Answerer) -> Journal:
    """Where a model's answers under these options are kept, shared by all crowds."""
    who = [answerer.model, urlsplit(answerer.base_url or "").netloc, model_files(answerer.model)]
    how = [config.system, config.max_new_tokens, config.temperature, config.seed]
    key = content_key([PROTOCOL, who, how], 24)
    return Journal(workspace.cache / "answers" / f"{key}.jsonl")

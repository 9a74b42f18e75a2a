"""Answers from a local model: batches sorted by length, the same answers for the same seed.

vLLM answers where it is installed and a GPU is there, otherwise transformers.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from crowdselect.errors import CrowdSelectError
from crowdselect.lm.batches import length_batches
from crowdselect.lm.messages import Message
from crowdselect.lm.models import Checkpoint, Loaded, LocalModel, adapter_folder, load_tokenizer
from crowdselect.lm.template import render, token_ids


@dataclass(frozen=True)
class Request:
    """One conversation to be answered."""

    key: str
    messages: tuple[Message, ...]
    temperature: float = 0.0
    plain: str | None = None
    """A text for the model to go on with as it stands, instead of the messages in its chat form;
    only a model on this machine can be asked so."""

    def prompt(self, tokenizer: Any) -> list[int]:
        """What the model reads, as token ids."""
        text = render(tokenizer, self.messages) if self.plain is None else self.plain
        return token_ids(tokenizer, text)


@dataclass(frozen=True)
class Answer:
    """A generated answer."""

    text: str
    tokens: int
    """Generated tokens."""
    finished: bool
    """False: cut at the length limit."""
    problem: str = ""
    """Why there is no answer at all; empty: there is one."""


BATCH_TOKENS = {"cpu": 8_192, "cuda": 65_536}
Deliver = Callable[[str, Answer], None]


def generate(
    model: LocalModel,
    requests: Sequence[Request],
    deliver: Deliver,
    *,
    max_new_tokens: int,
    seed: int,
    batch_tokens: int | None = None,
) -> None:
    """Answer every request, handing each answer to ``deliver`` as soon as its batch is done.

    Greedy where the temperature is 0. A sampled answer draws from a generator seeded by ``seed``
    and the request's key, so neither order nor batch mates change it beyond rounding.

    A prompt that fills the model's context gets a problem instead of an answer.

    Parameters
    ----------
    batch_tokens
        Prompt plus new tokens of a batch, padding counted; None: 8,192, on a GPU 65,536.
    """
    if not requests:
        return
    if use_vllm():
        _with_vllm(model.checkpoint.resolved(), requests, deliver, max_new_tokens, seed)
        return
    generate_here(
        model.loaded,
        requests,
        deliver,
        max_new_tokens=max_new_tokens,
        seed=seed,
        batch_tokens=batch_tokens,
    )


def generate_here(
    loaded: Loaded,
    requests: Sequence[Request],
    deliver: Deliver,
    *,
    max_new_tokens: int,
    seed: int,
    batch_tokens: int | None = None,
) -> None:
    """As :func:`generate`, by transformers with a model in memory."""
    batch_tokens = batch_tokens or BATCH_TOKENS[loaded.device]
    prompts = [request.prompt(loaded.tokenizer) for request in requests]
    rooms = [min(max_new_tokens, loaded.context - len(p)) for p in prompts]
    fitting = [i for i, room in enumerate(rooms) if room == max_new_tokens]
    for row, room in enumerate(rooms):
        if room < 1:
            problem = f"the prompt has {len(prompts[row])} tokens, the model takes {loaded.context}"
            deliver(requests[row].key, Answer("", 0, finished=False, problem=problem))
    groups = [
        *length_batches([len(prompts[i]) for i in fitting], batch_tokens, max_new_tokens),
        # With less room than the others an answer is made alone, so that nobody else is cut short.
        *([i] for i, room in enumerate(rooms) if 1 <= room < max_new_tokens),
    ]
    full = len(groups) - sum(1 <= room < max_new_tokens for room in rooms)
    for place, group in enumerate(groups):
        rows = [fitting[i] for i in group] if place < full else group
        answers = _in_halves(
            loaded, [requests[i] for i in rows], [prompts[i] for i in rows], rooms[rows[0]], seed
        )
        for row, answer in zip(rows, answers, strict=True):
            deliver(requests[row].key, answer)


def _in_halves(
    loaded: Loaded,
    requests: Sequence[Request],
    prompts: Sequence[list[int]],
    max_new_tokens: int,
    seed: int,
) -> list[Answer]:
    """Answer a batch; one that does not fit into the GPU's memory is halved."""
    import torch

    try:
        return _answer_batch(loaded, requests, prompts, max_new_tokens, seed)
    except torch.OutOfMemoryError as error:
        if len(requests) == 1:
            raise CrowdSelectError(
                f"One prompt of {len(prompts[0])} tokens does not fit into the GPU's memory.",
                "Lower max_new_tokens, or take a larger GPU.",
            ) from error
    half = len(requests) // 2
    parts = ((requests[:half], prompts[:half]), (requests[half:], prompts[half:]))
    return [a for r, p in parts for a in _in_halves(loaded, r, p, max_new_tokens, seed)]


def _answer_batch(
    loaded: Loaded,
    requests: Sequence[Request],
    prompts: Sequence[list[int]],
    max_new_tokens: int,
    seed: int,
) -> list[Answer]:
    import torch

    width = max(map(len, prompts))
    pad = loaded.tokenizer.pad_token_id
    ids = torch.tensor([[pad] * (width - len(p)) + p for p in prompts], device=loaded.device)
    mask = torch.tensor(
        [[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=loaded.device
    )
    sampler = SeededSampler(requests, seed) if any(r.temperature for r in requests) else None
    with torch.inference_mode():
        output = loaded.model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=max_new_tokens,
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            pad_token_id=pad,
            eos_token_id=list(loaded.stop_ids) or None,
            logits_processor=[sampler] if sampler else None,
        )
    return [_read(loaded, row[width:].tolist()) for row in output]


def _read(loaded: Loaded, ids: list[int]) -> Answer:
    end = next((i for i, token in enumerate(ids) if token in loaded.stop_ids), None)
    spoken = ids if end is None else ids[:end]
    text = loaded.tokenizer.decode(spoken, skip_special_tokens=True).strip()
    return Answer(text, len(spoken), finished=end is not None)


def request_seed(request: Request, seed: int) -> int:
    """A request's own seed, from ``seed`` and its key; below 2**31."""
    digest = hashlib.sha256(f"{seed}\n{request.key}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


class SeededSampler:
    """Turns greedy search into sampling with one generator per row.

    Sampling by the Gumbel-max trick: the argmax of logits / T + Gumbel noise is distributed as
    softmax(logits / T) (Maddison et al. 2014), and the noise of a row comes from its own generator.
    """

    def __init__(self, requests: Sequence[Request], seed: int) -> None:
        import torch

        self._temperatures = [r.temperature for r in requests]
        self._generators = []
        for request in requests:
            generator = torch.Generator(device="cpu")
            generator.manual_seed(request_seed(request, seed))
            self._generators.append(generator)

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores whose argmax is a sample; (rows, vocabulary) floats in and out."""
        import torch

        noisy = scores.clone()
        for row, (temperature, generator) in enumerate(
            zip(self._temperatures, self._generators, strict=True)
        ):
            if temperature > 0:
                uniform = torch.rand(scores.shape[-1], generator=generator, dtype=torch.float64)
                gumbel = -torch.log(-torch.log(uniform.clamp_min(1e-300)))
                noisy[row] = scores[row] / temperature + gumbel.to(scores)
        return noisy


def use_vllm() -> bool:
    """Whether vLLM is installed and there is a GPU for it."""
    if find_spec("vllm") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


VLLM_CHUNK = 512
"""Requests per call: what a crash of the engine can cost at most."""


def _with_vllm(
    checkpoint: Checkpoint,
    requests: Sequence[Request],
    deliver: Deliver,
    max_new_tokens: int,
    seed: int,
) -> None:
    from vllm import SamplingParams
    from vllm.lora.request import LoRARequest

    engine, tokenizer = _vllm_engine(checkpoint)
    adapter = None
    if checkpoint.adapter:
        adapter = LoRARequest("adapter", 1, str(adapter_folder(checkpoint.adapter)))
    for start in range(0, len(requests), VLLM_CHUNK):
        chunk = requests[start : start + VLLM_CHUNK]
        prompts = [{"prompt_token_ids": request.prompt(tokenizer)} for request in chunk]
        parameters = [
            SamplingParams(
                temperature=r.temperature, max_tokens=max_new_tokens, seed=request_seed(r, seed)
            )
            for r in chunk
        ]
        outputs = engine.generate(prompts, parameters, lora_request=adapter)
        for request, output in zip(chunk, outputs, strict=True):
            best = output.outputs[0]
            finished = best.finish_reason == "stop"
            deliver(request.key, Answer(best.text.strip(), len(best.token_ids), finished))


@functools.lru_cache(maxsize=1)
def _vllm_engine(checkpoint: Checkpoint) -> tuple[Any, Any]:
    """The engine and the tokenizer; the last one is kept, for it takes a minute to start."""
    from vllm import LLM

    rank = 16
    if checkpoint.adapter:
        settings = adapter_folder(checkpoint.adapter) / "adapter_config.json"
        rank = json.loads(settings.read_text("utf-8"))["r"]
    engine = LLM(
        checkpoint.model,
        load_format="safetensors",
        enable_lora=bool(checkpoint.adapter),
        max_lora_rank=max(8, rank),
        trust_remote_code=checkpoint.trust_remote_code,
    )
    return engine, load_tokenizer(checkpoint)

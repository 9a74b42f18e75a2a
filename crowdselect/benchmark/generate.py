"""Answers from a local model: batches sorted by length, the same answers for the same seed.

vLLM answers where it is installed and a GPU is there, otherwise transformers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from crowdselect.benchmark.chat import Message, render, token_ids
from crowdselect.benchmark.subject import Loaded, Subject


@dataclass(frozen=True)
class Request:
    """One conversation to be answered."""

    key: str
    messages: tuple[Message, ...]
    temperature: float = 0.0


@dataclass(frozen=True)
class Answer:
    """A generated answer."""

    text: str
    tokens: int
    """Generated tokens."""
    finished: bool
    """False: cut at the length limit."""


Deliver = Callable[[str, Answer], None]


def generate(
    subject: Subject,
    requests: Sequence[Request],
    deliver: Deliver,
    *,
    max_new_tokens: int,
    seed: int,
    batch_tokens: int = 8192,
) -> None:
    """Answer every request, handing each answer to ``deliver`` as soon as its batch is done.

    Greedy where the temperature is 0. A sampled answer draws from a generator seeded by ``seed`` and
    the request's key, so neither order nor batch mates change it beyond floating-point rounding.

    Parameters
    ----------
    batch_tokens
        Prompt plus new tokens of a batch, padding counted.
    """
    if not requests:
        return
    if _use_vllm():
        _with_vllm(subject, requests, deliver, max_new_tokens, seed)
        return
    loaded = subject.loaded
    prompts = [token_ids(loaded.tokenizer, render(loaded.tokenizer, r.messages)) for r in requests]
    for rows in batches([len(p) for p in prompts], batch_tokens, max_new_tokens):
        answers = _answer_batch(
            loaded, [requests[i] for i in rows], [prompts[i] for i in rows], max_new_tokens, seed
        )
        for row, answer in zip(rows, answers, strict=True):
            deliver(requests[row].key, answer)


def batches(lengths: Sequence[int], batch_tokens: int, extra: int) -> Iterator[list[int]]:
    """Rows in batches of similar length, longest first; each within ``batch_tokens``."""
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    batch: list[int] = []
    for row in order:
        widest = lengths[batch[0]] if batch else lengths[row]
        if batch and (len(batch) + 1) * (widest + extra) > batch_tokens:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


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
            logits_processor=[sampler] if sampler else None,
        )
    return [_read(loaded, row[width:].tolist()) for row in output]


def _read(loaded: Loaded, ids: list[int]) -> Answer:
    stops = loaded.model.generation_config.eos_token_id
    stops = stops if isinstance(stops, list) else [stops]
    end = next((i for i, token in enumerate(ids) if token in stops), None)
    spoken = ids if end is None else ids[:end]
    text = loaded.tokenizer.decode(spoken, skip_special_tokens=True).strip()
    return Answer(text, len(spoken), finished=end is not None)


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
            digest = hashlib.sha256(f"{seed}\n{request.key}".encode()).digest()
            generator = torch.Generator(device="cpu")
            generator.manual_seed(int.from_bytes(digest[:7], "big"))
            self._generators.append(generator)

    def __call__(self, input_ids: Any, scores: Any) -> Any:
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


def _use_vllm() -> bool:
    if find_spec("vllm") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


def _with_vllm(
    subject: Subject, requests: Sequence[Request], deliver: Deliver, max_new_tokens: int, seed: int
) -> None:
    from transformers import AutoTokenizer
    from vllm import LLM, SamplingParams
    from vllm.lora.request import LoRARequest

    config = subject.config
    tokenizer = AutoTokenizer.from_pretrained(config.model)
    engine = LLM(config.model, seed=seed, enable_lora=bool(config.adapter))
    adapter = LoRARequest("adapter", 1, config.adapter) if config.adapter else None
    prompts = [
        {"prompt_token_ids": token_ids(tokenizer, render(tokenizer, r.messages))} for r in requests
    ]
    parameters = [
        SamplingParams(temperature=r.temperature, max_tokens=max_new_tokens, seed=seed)
        for r in requests
    ]
    outputs = engine.generate(prompts, parameters, lora_request=adapter)
    for request, output in zip(requests, outputs, strict=True):
        best = output.outputs[0]
        finished = best.finish_reason == "stop"
        deliver(request.key, Answer(best.text.strip(), len(best.token_ids), finished))

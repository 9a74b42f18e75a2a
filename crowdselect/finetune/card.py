"""The model card of a fine-tuned model: base, data, recipe, settings, and what came out."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from crowdselect.finetune.config import FinetuneConfig
from crowdselect.finetune.plan import Plan
from crowdselect.finetune.prepare import DataReport
from crowdselect.options import options_of
from crowdselect.values import Recipe

_PACKAGES = ("crowdselect", "torch", "transformers", "trl", "peft", "accelerate", "datasets")

_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM takes for ``--max-lora-rank``."""

_CARD = """\
---
{front}
---

# {title}

{what} of `{base}` on {rows:,} rows, made with [crowdselect](https://arxiv.org/abs/2503.01836).

## Data

{data}

## Training

| option | value |
|---|---|
{options}

{result}

## Serve it

From the folder of the run, with a base and an architecture that each of them knows:

{serving}

## Versions

{versions}
"""


@cache
def library_versions() -> dict[str, str]:
    """Versions of the libraries that decide the result."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def model_card(
    plan: Plan, report: DataReport, *, run_id: str, data_sha256: str, steps: int, loss: float | None
) -> str:
    """Return the card as Markdown with the metadata block that model hubs read."""
    config = plan.config
    adapter = config.mode == "lora"
    front = [f"base_model: {config.model}"] if not Path(config.model).is_dir() else []
    front += [f"library_name: {'peft' if adapter else 'transformers'}"]
    front += ["pipeline_tag: text-generation", f"tags: [crowdselect, {config.method}]"]
    base = Path(config.model).name if Path(config.model).is_dir() else config.model
    what = "A LoRA adapter" if adapter else "A full fine-tune"
    return _CARD.format(
        front="\n".join(front),
        title=f"{base}, {config.method} on {_source(config)}",
        what=f"{what} ({config.method})",
        base=base,
        rows=report.kept,
        data="\n".join(f"- {line}" for line in _data_lines(plan, report, data_sha256)),
        options="\n".join(f"| {k} | {v} |" for k, v in _options(plan).items()),
        result=_result(run_id, steps, loss),
        serving="\n".join(f"    {line}" for line in serving_lines(config, base)),
        versions=", ".join(f"{k} {v}" for k, v in library_versions().items()) + ".",
    )


def serving_lines(config: FinetuneConfig, base: str) -> list[str]:
    """Commands for vLLM, Ollama and llama.cpp, from the folder of the run.

    An adapter is served beside ``base``, or merged where the run merged it; vLLM takes no DoRA.
    """
    name = re.sub(r"[^a-z0-9._-]+", "-", _source(config).lower()).strip("-.") or "mine"
    if config.mode == "lora" and not config.merge:
        rank = next((r for r in _RANKS if r >= config.lora_rank), config.lora_rank)
        beside = f"vllm serve {base} --enable-lora --max-lora-rank {rank} "
        vllm = f"{beside}--lora-modules {name}=./model"
        if config.dora:
            vllm = "# vLLM takes no DoRA: fine-tune with -o merge=true, and serve ./merged"
        return [
            vllm,
            f"printf 'FROM {base}\\nADAPTER ./model\\n' > Modelfile && ollama create {name}",
            f"python llama.cpp/convert_lora_to_gguf.py --base {base} ./model",
        ]
    whole = "./merged" if config.mode == "lora" else "./model"
    return [
        f"vllm serve {whole} --served-model-name {name}",
        f"printf 'FROM {whole}\\n' > Modelfile && ollama create {name}",
        f"python llama.cpp/convert_hf_to_gguf.py {whole}",
    ]


def _data_lines(plan: Plan, report: DataReport, data_sha256: str) -> list[str]:
    config = plan.config
    lines = [f"File `{Path(config.data).name}`, sha256 `{data_sha256}`."]
    origin = config.origin
    if origin:
        lines.append(f"Selection `{_source(config)}` (id `{origin.selection}`).")
        told = {"id": origin.selection, **_recipe(origin.recipe), "pairs": origin.pairs}
        named = [f"{k} {_plain(v)}" for k, v in told.items() if v not in (None, {}, "")]
        lines.append(f"Recipe: {', '.join(named)}.")
        lines += [f"Answers: {_plain(origin.answers)}."] if origin.answers else []
    return lines + report.lines()


def _recipe(recipe: Recipe | None) -> dict[str, Any]:
    return {o.card: getattr(recipe, o.name) for o in options_of(Recipe) if recipe and o.card}


def _source(config: FinetuneConfig) -> str:
    """The selection's name, else the file's."""
    origin = config.origin
    return (origin.name or origin.selection) if origin else Path(config.data).name


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{k}={v:g}" for k, v in value.items())
    if isinstance(value, tuple):
        return ", ".join(value)
    return "yes" if value is True else str(value)


def _options(plan: Plan) -> dict[str, Any]:
    config, setup, budget = plan.config, plan.setup, plan.budget
    return {
        **{words: _plain(value) for words, value in config.on_card().items()},
        "devices": f"{config.processes} x {setup.device_name}",
        "batches": setup.batching,
        "precision": f"{setup.weights} weights{', bf16 autocast' if setup.bf16 else ''}",
        "attention": setup.attention,
        "micro batch": budget.micro_batch,
    }


def _result(run_id: str, steps: int, loss: float | None) -> str:
    mean = "" if loss is None else f" The mean training loss was {loss:.4f}."
    return f"Run `{run_id}` took {steps:,} optimiser steps.{mean}"

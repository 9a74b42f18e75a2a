"""The model card of a fine-tuned model: base, data, recipe, settings, and what came out."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from crowdselect.finetune.config import FinetuneConfig
from crowdselect.finetune.plan import Plan
from crowdselect.finetune.prepare import DataReport

_PACKAGES = ("crowdselect", "torch", "transformers", "trl", "peft", "accelerate", "datasets")

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

## Versions

{versions}
"""


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
        versions=", ".join(f"{k} {v}" for k, v in library_versions().items()) + ".",
    )


def _data_lines(plan: Plan, report: DataReport, data_sha256: str) -> list[str]:
    config = plan.config
    lines = [f"File `{Path(config.data).name}`, sha256 `{data_sha256}`."]
    if config.selection:
        lines.append(f"Selection `{_source(config)}` (id `{config.selection}`).")
    if config.recipe:
        told = {k: v for k, v in config.recipe.items() if k != "name" and v not in (None, {}, [])}
        lines.append(f"Recipe: {', '.join(f'{k} {_plain(v)}' for k, v in told.items())}.")
    return lines + report.lines()


def _source(config: FinetuneConfig) -> str:
    """The selection's name, else the file's."""
    named = (config.recipe or {}).get("name")
    return named or config.selection or Path(config.data).name


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{k}={v:g}" for k, v in value.items())
    return str(value)


def _options(plan: Plan) -> dict[str, Any]:
    config, setup, budget = plan.config, plan.setup, plan.budget
    options: dict[str, Any] = {
        "preset": config.preset,
        "learning rate": config.learning_rate,
        "schedule": f"{config.schedule}, {config.warmup:.0%} warm-up",
        "epochs": config.epochs if config.max_steps is None else f"(max_steps {config.max_steps})",
        "rows per step": config.batch_size,
        "devices": f"{config.processes} x {setup.device_name}",
        "max length": config.max_length,
        "batches": setup.batching,
        "precision": f"{setup.weights} weights{', bf16 autocast' if setup.bf16 else ''}",
        "attention": setup.attention,
        "micro batch": budget.micro_batch,
        "seed": config.seed,
    }
    if config.mode == "lora":
        kind = "rsLoRA" if config.rslora else "LoRA"
        options[kind] = (
            f"rank {config.lora_rank}, alpha {config.lora_alpha:g}, dropout "
            f"{config.lora_dropout:g}, {', '.join(config.lora_targets)}"
            f"{', DoRA' if config.dora else ''}{', 4-bit base' if config.four_bit else ''}"
        )
    if config.method != "sft":
        options["beta"] = config.beta
    return options


def _result(run_id: str, steps: int, loss: float | None) -> str:
    mean = "" if loss is None else f" The mean training loss was {loss:.4f}."
    return f"Run `{run_id}` took {steps:,} optimiser steps.{mean}"

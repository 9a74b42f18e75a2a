"""Named settings: the papers' published ones, a LoRA default, preference methods, the demo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crowdselect.errors import NotFoundError
from crowdselect.registry import did_you_mean


@dataclass(frozen=True)
class Preset:
    """Option values under a name, with where they come from; explicit options override them."""

    name: str
    source: str
    """Paper, table or reasoning behind the values."""
    options: Mapping[str, Any]


_PREFERENCE = {"epochs": 1.0, "max_length": 2048, "batch_size": 32, "warmup": 0.1}

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "crowdselect-paper",
            "arXiv 2503.01836, Table 6: lr 1e-5, 3 epochs, per-device batch 1 times 2 accumulation "
            "steps, cosine, length 2048. Its 150 warm-up steps are 10 % of the 1,500 steps that "
            "1,000 rows make on one GPU, but 79 % of the 189 steps on eight; here it is a share.",
            {
                "mode": "full",
                "learning_rate": 1e-5,
                "epochs": 3.0,
                "batch_size": 2,
                "schedule": "cosine",
                "warmup": 0.1,
                "max_length": 2048,
            },
        ),
        Preset(
            "selectit-paper",
            "arXiv 2402.16705, its repository: lr 2e-5, 3 epochs, 32 rows on each of 4 GPUs (128 "
            "per step), cosine, 3 % warm-up, no weight decay, bf16, length 4096.",
            {
                "mode": "full",
                "learning_rate": 2e-5,
                "epochs": 3.0,
                "batch_size": 128,
                "schedule": "cosine",
                "warmup": 0.03,
                "weight_decay": 0.0,
                "max_length": 4096,
            },
        ),
        Preset(
            "lora-default",
            "Common practice for LoRA on every linear layer; neither paper states its own.",
            {
                "mode": "lora",
                "learning_rate": 2e-4,
                "epochs": 3.0,
                "batch_size": 16,
                "schedule": "cosine",
                "warmup": 0.03,
                "max_length": 2048,
                "lora_rank": 16,
                "lora_alpha": 32.0,
                "lora_dropout": 0.05,
            },
        ),
        Preset(
            "demo",
            "For the small demo models on a CPU: a full fine-tune in a minute or two.",
            {
                "mode": "full",
                "learning_rate": 1e-3,
                "epochs": 3.0,
                "batch_size": 16,
                "schedule": "cosine",
                "warmup": 0.05,
                "max_length": 512,
            },
        ),
        Preset(
            "dpo-default",
            "Rafailov et al. 2023 (beta 0.1), with the usual LoRA learning rate.",
            {**_PREFERENCE, "method": "dpo", "learning_rate": 5e-6, "beta": 0.1},
        ),
        Preset(
            "orpo-default",
            "Hong et al. 2024: lambda (here beta) 0.1, lr 8e-6.",
            {**_PREFERENCE, "method": "orpo", "learning_rate": 8e-6, "beta": 0.1},
        ),
        Preset(
            "simpo-default",
            "Meng et al. 2024: beta 2.0, target margin gamma 1.0, lr 8e-7 to 1e-6 for full models; "
            "5e-6 is for LoRA.",
            {**_PREFERENCE, "method": "simpo", "learning_rate": 5e-6, "beta": 2.0, "gamma": 1.0},
        ),
    )
}


def preset_options(name: str) -> dict[str, Any]:
    """Return the option values of a preset; raises NotFoundError with the known names."""
    try:
        return dict(PRESETS[name].options)
    except KeyError:
        raise NotFoundError(
            f"There is no fine-tuning preset called {name!r}.", did_you_mean(name, PRESETS)
        ) from None


def method_of(given: Mapping[str, Any]) -> str:
    """Return the method that options mean: their own, else their preset's, else ``sft``."""
    if given.get("method"):
        return str(given["method"])
    name = given.get("preset")
    return str(preset_options(name).get("method", "sft")) if name else "sft"


def with_preset(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``given`` with everything that it leaves out taken from its preset.

    Where no preset is named, method and mode choose it. A preference method with the preset of
    another one keeps its own beta and gamma.
    """
    method = method_of(given)
    name = given.get("preset") or _default_preset(method, given.get("mode"))
    own = PRESETS[_default_preset(method, None)].options
    kept = {k: v for k, v in own.items() if k in ("beta", "gamma")}
    return {**kept, **preset_options(name), **given, "preset": name}


def _default_preset(method: str, mode: str | None) -> str:
    if f"{method}-default" in PRESETS:
        return f"{method}-default"
    return "crowdselect-paper" if mode == "full" else "lora-default"

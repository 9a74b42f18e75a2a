"""A fine-tune's options -> tokenizer, model and adapter settings."""

from __future__ import annotations

from typing import Any

from crowdselect.finetune.config import FinetuneConfig
from crowdselect.finetune.machine import Setup
from crowdselect.lm.models import Checkpoint, LoadOptions, load_network


def checkpoint_of(config: FinetuneConfig) -> Checkpoint:
    """The model that is trained."""
    return Checkpoint(config.model, trust_remote_code=config.trust_remote_code)


def load_model(config: FinetuneConfig, setup: Setup) -> Any:
    """Load the model's weights in the number format and with the attention of ``setup``."""
    compute = "bfloat16" if setup.bf16 else "float32"
    options = LoadOptions(
        dtype=setup.weights,
        attention=setup.attention,
        four_bit_compute=compute if config.four_bit else None,
        hub_kernels=setup.kernels == "hub",
    )
    return load_network(checkpoint_of(config), options)


def lora_config(config: FinetuneConfig) -> Any:
    """The adapter's settings for ``peft``; None for a full fine-tune."""
    if config.mode == "full":
        return None
    from peft import LoraConfig

    everything = config.lora_targets == ("all-linear",)
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,  # type: ignore[arg-type]  # any number is meant
        lora_dropout=config.lora_dropout,
        target_modules="all-linear" if everything else list(config.lora_targets),
        use_rslora=config.rslora,
        use_dora=config.dora,
        bias="none",
    )

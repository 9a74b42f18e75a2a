"""A folder or hub name -> tokenizer, model and adapter settings. Only safetensors are loaded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from crowdselect.errors import InputError, NotFoundError
from crowdselect.finetune.config import FinetuneConfig
from crowdselect.finetune.machine import Setup


def load_config(config: FinetuneConfig) -> Any:
    """Load the model's ``transformers`` config."""
    from transformers import AutoConfig

    return _load(config, AutoConfig.from_pretrained, "config.json")


def load_tokenizer(config: FinetuneConfig) -> Any:
    """Load the tokenizer; a missing pad token becomes the end token."""
    from transformers import AutoTokenizer

    tokenizer = _load(config, AutoTokenizer.from_pretrained, "tokenizer")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(config: FinetuneConfig, setup: Setup) -> Any:
    """Load the model's weights in the number format and with the attention of ``setup``."""
    import torch
    from transformers import AutoModelForCausalLM

    options: dict[str, Any] = {
        "dtype": getattr(torch, setup.weights),
        "attn_implementation": setup.attention,
        "use_safetensors": True,
    }
    if setup.kernels == "hub":
        options["use_kernels"] = True
    if config.four_bit:
        from transformers import BitsAndBytesConfig

        options["quantization_config"] = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16 if setup.bf16 else torch.float32,
        )
    return _load(config, AutoModelForCausalLM.from_pretrained, "model.safetensors", **options)


def _load(config: FinetuneConfig, loader: Any, what: str, **options: Any) -> Any:
    name = config.model
    check_folder(name)
    try:
        return loader(name, trust_remote_code=config.trust_remote_code, **options)
    except (OSError, ValueError) as error:
        first = next(iter(str(error).splitlines()), "")
        raise InputError(
            f"The model {name} cannot be loaded ({what}): {first}",
            "Give the folder of a causal language model in safetensors, or a hub name that this "
            "machine can download.",
        ) from error


def check_folder(name: str) -> None:
    """Raise NotFoundError for what is written as a path but is no folder."""
    looks_like_path = name.startswith((".", "~", os.sep)) or name.count("/") > 1
    if looks_like_path and not Path(name).expanduser().is_dir():
        raise NotFoundError(f"There is no model folder {name}.", "Give a folder or a hub name.")


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

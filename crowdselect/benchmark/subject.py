"""The model under test: a fine-tuning run, a folder, a hub id, or a served model."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdselect.errors import InputError, NotFoundError, require
from crowdselect.values import Frozen


class SubjectConfig(Frozen):
    """What to test, as it is written into the run's config."""

    name: str
    """How results call it; runs of the same name are seeds of one another in a comparison."""
    model: str
    """Folder or hub id of a full model; with ``adapter`` the base model."""
    adapter: str | None = None
    """Folder of a LoRA adapter."""
    endpoint: str | None = None
    """Base URL of an OpenAI-compatible server that serves ``model``; answers come from there."""
    run: str | None = None
    """The fine-tuning run that made it."""
    trust_remote_code: bool = False


@dataclass(frozen=True)
class Loaded:
    """A model in memory."""

    model: Any
    tokenizer: Any
    device: str


class Subject:
    """A model under test that is loaded when it is first needed."""

    def __init__(self, config: SubjectConfig) -> None:
        self.config = config

    @functools.cached_property
    def loaded(self) -> Loaded:
        """The model and tokenizer, in eval mode, on the GPU where there is one.

        Raises
        ------
        MissingDependencyError
            Where torch, transformers or peft is missing.
        NotFoundError
            For a model that is neither a folder nor reachable.
        """
        for package in ("torch", "transformers", *(["peft"] if self.config.adapter else [])):
            require(package, feature="Benchmarking a local model", extra="benchmark")
        if self.config.endpoint:
            raise InputError(
                f"{self.config.name} is served at {self.config.endpoint}; this benchmark needs its "
                "weights.",
                "Give a folder or hub id, or choose benchmarks that only need answers.",
            )
        return _load(self.config)


def _load(config: SubjectConfig) -> Loaded:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    has_tokenizer = config.adapter and (Path(config.adapter) / "tokenizer_config.json").exists()
    options = {"trust_remote_code": config.trust_remote_code}
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            config.adapter if has_tokenizer else config.model, padding_side="left", **options
        )
        model = AutoModelForCausalLM.from_pretrained(
            config.model, dtype=dtype, use_safetensors=True, **options
        )
        if config.adapter:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, config.adapter)
    except (OSError, ValueError) as error:
        first = str(error).split("\n")[0]
        raise NotFoundError(
            f"The model {config.model} cannot be loaded: {first}",
            "Give a folder with config.json, *.safetensors and a tokenizer, a fine-tuning run, or "
            "a hub id where the hub is reachable.",
        ) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Loaded(model.to(device).eval(), tokenizer, device)

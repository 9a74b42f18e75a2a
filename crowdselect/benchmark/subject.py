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
    """How results call it; subjects of one name and variant are seeds of one another."""
    model: str
    """Folder or hub id of a full model; with ``adapter`` the base model."""
    adapter: str | None = None
    """Folder of a LoRA adapter."""
    endpoint: str | None = None
    """Base URL of an OpenAI-compatible server that serves ``model``; answers come from there."""
    run: str | None = None
    """The fine-tuning run that made it."""
    training_seed: int | None = None
    """Seed of that run."""
    variant: str = ""
    """Hash of everything but the seed that made it; keeps different settings of one name apart."""
    selection: str | None = None
    """Id of the selection it was trained on."""
    recipe: dict[str, Any] | None = None
    """The recipe of that selection (id, crowd, strategy, weights ...)."""
    chosen_on: tuple[str, ...] = ()
    """Benchmarks on which that recipe was chosen, as declared: its scores there are too high."""
    trust_remote_code: bool = False

    @property
    def identity(self) -> str:
        """What tells two trained models apart: the run, else the files or the served name."""
        return self.run or "|".join(filter(None, (self.model, self.adapter, self.endpoint)))


@dataclass(frozen=True)
class Loaded:
    """A model in memory."""

    model: Any
    tokenizer: Any
    device: str

    @property
    def stop_ids(self) -> tuple[int, ...]:
        """Tokens that end an answer."""
        stops = self.model.generation_config.eos_token_id
        stops = self.tokenizer.eos_token_id if stops is None else stops
        return () if stops is None else tuple(stops) if isinstance(stops, list) else (stops,)

    @property
    def context(self) -> int:
        """Longest sequence in tokens; a million where the model does not say."""
        return getattr(self.model.config, "max_position_embeddings", None) or 1_000_000


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
        InputError
            For a served model, whose weights are not here.
        """
        self.needs_weights()
        for package in ("torch", "transformers", *(["peft"] if self.config.adapter else [])):
            require(package, feature="Benchmarking a local model", extra="benchmark")
        return load_causal(
            self.config.model,
            adapter=self.config.adapter,
            trust_remote_code=self.config.trust_remote_code,
        )

    @property
    def is_loaded(self) -> bool:
        """Whether the model is in memory."""
        return "loaded" in self.__dict__

    def needs_weights(self) -> None:
        """Raise InputError if the subject is only served."""
        if self.config.endpoint:
            raise InputError(
                f"{self.config.name} is served at {self.config.endpoint}; this benchmark needs its "
                "weights.",
                "Give a folder or hub id, or choose benchmarks that only need answers.",
            )


def load_causal(
    model: str, *, adapter: str | None = None, trust_remote_code: bool = False
) -> Loaded:
    """Load a causal language model (and an adapter on it) with its tokenizer, safetensors only."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    has_tokenizer = adapter and (Path(adapter) / "tokenizer_config.json").exists()
    options = {"trust_remote_code": trust_remote_code}
    check_folder(adapter or model)
    check_folder(model)
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            adapter if has_tokenizer else model, padding_side="left", **options
        )
        network: Any = AutoModelForCausalLM.from_pretrained(
            model, dtype=dtype, use_safetensors=True, **options
        )
        if adapter:
            from peft import PeftModel

            network = PeftModel.from_pretrained(network, adapter)
    except (OSError, ValueError) as error:
        raise unloadable(model, error) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Loaded(network.to(device).eval(), tokenizer, device)


def check_folder(name: str) -> None:
    """Raise NotFoundError for what is written as a path but is no folder."""
    looks_like_path = name.startswith((".", "~", "/")) or name.count("/") > 1
    if looks_like_path and not Path(name).expanduser().is_dir():
        raise NotFoundError(f"There is no model folder {name}.", "Give a folder or a hub id.")


def unloadable(model: str, error: Exception) -> NotFoundError:
    """The error for a model that transformers cannot load, in one line."""
    first = next(iter(str(error).splitlines()), type(error).__name__)
    return NotFoundError(
        f"The model {model} cannot be loaded: {first}",
        "Give a folder with config.json, *.safetensors and a tokenizer, a fine-tuning run, or a "
        "hub id where the hub can be reached.",
    )

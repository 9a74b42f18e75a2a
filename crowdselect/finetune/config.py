"""Everything the user decides about a fine-tune, as one validated, frozen value."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from crowdselect.errors import InputError
from crowdselect.finetune.presets import PRESETS, with_preset
from crowdselect.options import Option, options_of
from crowdselect.origin import Origin, with_origin
from crowdselect.registry import content_key
from crowdselect.tracking import TRACKERS
from crowdselect.values import Frozen

Method = Literal["sft", "dpo", "orpo", "simpo"]
Batching = Literal["auto", "padding-free", "packing", "padded"]
Launcher = Literal["none", "torchrun", "accelerate"]
PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")
"""What every fine-tune uses: the extra ``finetune``."""


def how(help: str = "") -> Option:  # noqa: A002 - the word every command line uses
    """What comes out does not follow from it: how the work is done, or what its hash tells."""
    return Option(help=help, result=False)


HOW = how()


PRESET = Option(
    help=f"Named settings: {', '.join(PRESETS)}; else by method and mode", card="preset"
)
MODE = Option(
    label="Train",
    each=(("lora", "Train an adapter (the default)"), ("full", "Train every weight")),
)


class FinetuneConfig(Frozen):
    """A fine-tune: data, model, and how. A preset fills what is not given explicitly.

    ``FinetuneConfig(data="train.jsonl", model="my/model")`` is a LoRA fine-tune with the preset
    ``lora-default``; ``mode="full"`` picks ``crowdselect-paper``. :meth:`parse` raises InputError
    naming the field that is wrong (calling the class raises pydantic's ValidationError); options
    that contradict each other raise InputError either way.
    """

    data: Annotated[str, HOW]
    """JSONL, JSON, Parquet or CSV file: messages, prompt/completion, Alpaca or ShareGPT rows;
    prompt/chosen/rejected rows for the preference methods."""
    model: Annotated[
        str,
        Option(help="Folder or hub name of the base; or smollm2 (see doctor)", short="-m"),
    ]
    """A folder or a hub name of a causal language model in safetensors."""
    preset: Annotated[str, PRESET] = ""
    """Name of a preset (see ``PRESETS``); empty: by method and mode."""
    method: Annotated[Method, Option(help="How it is trained; else the preset's, else sft")] = "sft"
    mode: Annotated[Literal["lora", "full"], MODE] = "lora"
    origin: Annotated[Origin | None, HOW] = None
    """The selection and recipe that the data came from; told in the model card."""

    learning_rate: Annotated[
        float, Option(help="Peak learning rate", flag="--lr", card="learning rate"), Field(gt=0)
    ] = 2e-4
    """Of AdamW."""
    epochs: Annotated[float, Option(help="Passes over the data", card="epochs"), Field(gt=0)] = 3.0
    max_steps: Annotated[
        int | None, Option(help="Steps, whatever the epochs", card="steps"), Field(ge=1)
    ] = None
    """Optimiser steps; None: as many as the epochs need."""
    batch_size: Annotated[
        int,
        Option(help="Rows per optimiser step over all devices", card="rows per step"),
        Field(ge=1),
    ] = 16
    """What the result depends on."""
    micro_batch: Annotated[int | None, HOW, Field(ge=1)] = None
    """Rows per device at a time: what memory depends on; None: chosen from the memory."""
    schedule: Annotated[Literal["cosine", "linear", "constant"], Option(card="schedule")] = "cosine"
    warmup: Annotated[float, Option(card="warm-up, share of the steps"), Field(ge=0, lt=1)] = 0.03
    """Share of the steps over which the learning rate rises."""
    weight_decay: Annotated[float, Option(card="weight decay"), Field(ge=0)] = 0.0
    max_grad_norm: float = Field(default=1.0, ge=0)
    seed: Annotated[
        int, Option(help="Seed of everything random", card="seed", result=False), Field(ge=0)
    ] = 42
    beta: Annotated[float | None, Option(card="beta"), Field(gt=0)] = None
    """DPO and SimPO: inverse temperature; ORPO: lambda. None: the method's preset."""
    gamma: Annotated[float | None, Option(card="gamma"), Field(ge=0)] = None
    """SimPO: target reward margin; None: the preset's."""

    max_length: Annotated[
        int,
        Option(help="Longest row in tokens", label="Max length, tokens", card="max length"),
        Field(ge=8),
    ] = 2048
    """Prompt included."""
    overlong: Literal["truncate", "drop"] = "truncate"
    """What becomes of longer rows; both are counted in the report."""
    chat_template: str = "auto"
    """``auto``: the model's own, or ``plain`` where it has none; ``merge-system``: the same, system
    texts put before the first question; ``plain``; ``none`` (raw text); or a Jinja file's path."""
    eval_share: Annotated[
        float,
        Option(
            help="Share of the rows kept for a validation loss", label="Held out, %", percent=True
        ),
        Field(ge=0, lt=1),
    ] = 0.0

    lora_rank: Annotated[int, Option(label="LoRA rank", card="LoRA rank"), Field(ge=1)] = 16
    lora_alpha: Annotated[float, Option(card="LoRA alpha"), Field(gt=0)] = 32.0
    lora_dropout: Annotated[float, Option(card="LoRA dropout"), Field(ge=0, lt=1)] = 0.05
    lora_targets: Annotated[tuple[str, ...], Option(card="LoRA modules")] = ("all-linear",)
    """Module names; ``all-linear``: every linear layer but the head."""
    rslora: Annotated[bool, Option(card="rsLoRA")] = False
    """Scale by alpha / sqrt(rank) (Kalajdzievski 2023)."""
    dora: Annotated[bool, Option(card="DoRA")] = False
    """Decompose magnitude and direction (Liu et al. 2024); slower."""
    four_bit: Annotated[bool, Option(card="4-bit base")] = False
    """Hold the base in 4-bit NF4 (QLoRA); needs bitsandbytes."""
    merge: bool = False
    """Also save base and adapter merged into one full model."""

    precision: Literal["auto", "bf16", "bf16-weights", "fp32"] = "auto"
    """``bf16``: autocast over fp32 weights (LoRA: a bf16 base); ``bf16-weights``: all in bf16."""
    attention: Literal["auto", "flash", "sdpa", "eager"] = "auto"
    kernels: Literal["auto", "liger", "hub", "none"] = "auto"
    batching: Batching = "auto"
    optimizer: str = "auto"
    """``auto``: fused AdamW; or any name that transformers knows, such as ``adamw_8bit``."""
    compile: bool = False
    activation_checkpointing: bool | None = None
    """Recompute activations to save memory; None: only where it would not fit otherwise."""
    trust_remote_code: bool = False

    launcher: Annotated[Launcher, how("What starts several processes")] = "none"
    processes: Annotated[int, Option(help="Processes, one per device"), Field(ge=1)] = 1
    """Over all machines."""
    machines: int = Field(default=1, ge=1)
    main_address: Annotated[str, HOW] = "127.0.0.1"
    main_port: Annotated[int, HOW, Field(ge=1, le=65535)] = 29500
    accelerate_config: Annotated[str, how("ddp, fsdp2, zero2, zero3, or a YAML file")] = "fsdp2"
    """The first four ship with crowdselect."""

    save_steps: Annotated[int | None, HOW, Field(ge=1)] = None
    """Steps between checkpoints; None: ten over the run."""
    keep_checkpoints: Annotated[int, HOW, Field(ge=1)] = 2
    log_steps: Annotated[int | None, HOW, Field(ge=1)] = None
    """Steps between log lines; None: about two hundred over the run."""
    burst_steps: Annotated[int, HOW, Field(ge=0)] = 3
    """Steps of the measured burst before the run; 0: none."""
    report_to: Annotated[tuple[str, ...], how(f"{', '.join(TRACKERS)}; repeatable")] = ()

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return with_preset(with_origin(given))

    @model_validator(mode="after")
    def _fits_together(self) -> FinetuneConfig:
        for problem, remedy in self._conflicts():
            raise InputError(problem, remedy)
        return self

    def _conflicts(self) -> Iterator[tuple[str, str]]:
        if self.mode == "full" and (self.four_bit or self.dora or self.rslora):
            yield "A 4-bit base, DoRA and rsLoRA are for adapters only.", "Use mode lora."
        if self.method != "sft" and self.batching in ("packing", "padding-free"):
            yield f"{self.method} takes padded batches only.", "Leave batching at auto."
        if self.method != "sft" and self.chat_template == "none":
            yield f"{self.method} needs a chat template.", "Use auto or plain."
        if self.processes > 1 and self.launcher == "none":
            yield "Several processes need a launcher.", "Set launcher to accelerate or torchrun."
        if self.processes % self.machines:
            yield (
                f"{self.processes} processes do not spread evenly over {self.machines} machines.",
                "processes counts those of all machines.",
            )
        for tracker in set(self.report_to) - set(TRACKERS):
            yield f"There is no tracker {tracker!r}.", f"Choose of {', '.join(TRACKERS)}."
        rows, over = divmod(self.batch_size, self.processes)
        if over or (self.micro_batch and rows % self.micro_batch):
            parts = f"{self.processes} processes and micro batches of {self.micro_batch or 1}"
            yield (
                f"A batch of {self.batch_size} rows cannot be split into {parts}.",
                "Choose a batch_size that is a multiple of processes times micro_batch.",
            )

    @property
    def idle(self) -> frozenset[str]:
        """Options that mean nothing beside the others, an adapter's in a full fine-tune say."""
        adapter = {"lora_rank", "lora_alpha", "lora_dropout", "lora_targets"}
        idle = adapter if self.mode == "full" else set()
        idle |= {"beta", "gamma"} if self.method == "sft" else set()
        return frozenset(idle | ({"epochs"} if self.max_steps else set()))

    def made_from(self) -> dict[str, Any]:
        """What a tracker is told of where the data came from: selection and recipe."""
        told: dict[str, Any] = {"data": Path(self.data).name, "model": Path(self.model).name}
        if self.origin is not None:
            told |= {"selection": self.origin.selection, "name": self.origin.name}
            if self.origin.recipe is not None:
                told["recipe"] = self.origin.recipe.id
        return told

    def on_card(self) -> dict[str, Any]:
        """What a model card tells of the options: its words -> the value."""
        used = [o for o in _OPTIONS if o.card and o.name not in self.idle]
        told = {o.card: getattr(self, o.name) for o in used}
        return {k: v for k, v in told.items() if v is not None and v is not False}

    def result_options(self) -> dict[str, Any]:
        """The options that what comes out depends on, but for data and seed, as JSON."""
        return self.model_dump(mode="json", include={o.name for o in _OPTIONS if o.result})

    @property
    def id(self) -> str:
        """Short hash (12 hex digits) of every option."""
        return content_key(self.model_dump(mode="json"))

    @property
    def rows_per_device(self) -> int:
        """Rows of one optimiser step on one device."""
        return self.batch_size // self.processes


_OPTIONS = options_of(FinetuneConfig)

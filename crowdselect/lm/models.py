"""A folder or a hub id -> a model in memory: the one loader, with adapter; only safetensors."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from crowdselect.errors import InputError, NotFoundError, require
from crowdselect.lm.identity import ADAPTER_CONFIG, adapter_base, model_identity
from crowdselect.lm.packaged import provide

DTYPES = ("auto", "float32", "bfloat16", "float16")
_PICKLES = frozenset((".bin", ".pt", ".pth", ".ckpt", ".pkl"))
ADAPTER_WEIGHTS = "adapter_model.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """Which model."""

    model: str
    """Folder or hub id of a full model or of an adapter; with ``adapter`` the base model."""
    adapter: str | None = None
    """Folder or hub id of a LoRA adapter."""
    trust_remote_code: bool = False
    """Whether code that comes with the model may run."""

    @property
    def identity(self) -> str:
        """See :func:`crowdselect.lm.identity.model_identity`."""
        return model_identity(self.model, self.adapter)

    def resolved(self) -> Checkpoint:
        """With an adapter's own folder taken apart into base and adapter."""
        base = adapter_base(Path(self.model).expanduser()) if self.adapter is None else None
        if base is None:
            return self
        return Checkpoint(base, self.model, self.trust_remote_code)


@dataclass(frozen=True)
class LoadOptions:
    """How weights are held."""

    dtype: str = "auto"
    """One of :data:`DTYPES`; ``auto``: bfloat16 on a GPU, float32 on a CPU."""
    device: str | None = None
    """None: a GPU where there is one."""
    attention: str | None = None
    """An attention implementation of transformers; None: its default."""
    four_bit_compute: str | None = None
    """Hold the weights in 4 bits (NF4) and compute in this dtype; None: as ``dtype`` says."""
    hub_kernels: bool = False


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
    def bare(self) -> Any:
        """The model without peft's wrapping; an adapter stays inside its layers."""
        peft = hasattr(self.model, "peft_config") and hasattr(self.model, "get_base_model")
        return self.model.get_base_model() if peft else self.model

    @property
    def context(self) -> int:
        """Longest sequence in tokens; a million where the model does not say."""
        return getattr(self.model.config, "max_position_embeddings", None) or 1_000_000


class LocalModel:
    """A model that is loaded when it is first needed."""

    def __init__(self, checkpoint: Checkpoint, options: LoadOptions | None = None) -> None:
        self.checkpoint = checkpoint
        self.options = options or LoadOptions()

    @functools.cached_property
    def loaded(self) -> Loaded:
        """The model and tokenizer, in eval mode; raises as :func:`load_causal`."""
        return load_causal(self.checkpoint, self.options)

    @property
    def is_loaded(self) -> bool:
        """Whether the model is in memory."""
        return "loaded" in self.__dict__


def usual_device() -> str:
    """A GPU where there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def usual_dtype(device: str) -> str:
    """What ``auto`` means on a device."""
    return "float32" if device == "cpu" else "bfloat16"


def load_causal(checkpoint: Checkpoint, options: LoadOptions | None = None) -> Loaded:
    """Load a causal language model (and an adapter on it) with its tokenizer, in eval mode.

    Raises
    ------
    MissingDependencyError
        Where torch, transformers or peft is missing.
    NotFoundError
        For a model that is neither a folder nor reachable.
    InputError
        For weights that are no safetensors, or that are no language model's.
    """
    options = options or LoadOptions()
    checkpoint = checkpoint.resolved()
    device = _needed("A language model", checkpoint, options)
    tokenizer = load_tokenizer(checkpoint, padding_side="left")
    network = load_network(checkpoint, options)
    return Loaded(network.to(device).eval(), tokenizer, device)


def _needed(feature: str, checkpoint: Checkpoint, options: LoadOptions) -> str:
    """The device, once everything that is needed is installed."""
    for package in ("torch", "transformers", *(["peft"] if checkpoint.adapter else [])):
        require(package, feature=feature, extra="benchmark")
    return options.device or usual_device()


def load_config(checkpoint: Checkpoint) -> Any:
    """Load the ``transformers`` config of the (base) model."""
    from transformers import AutoConfig

    return _load(AutoConfig, checkpoint.model, checkpoint)


def load_tokenizer(checkpoint: Checkpoint, *, padding_side: str | None = None) -> Any:
    """Load the tokenizer, an adapter's own where it has one.

    A missing pad token becomes the end token, so that rows can be padded; nothing here tells
    padding by it.
    """
    from transformers import AutoTokenizer

    own = checkpoint.adapter and (Path(checkpoint.adapter) / "tokenizer_config.json").exists()
    name = checkpoint.adapter if own and checkpoint.adapter else checkpoint.model
    side = {} if padding_side is None else {"padding_side": padding_side}
    tokenizer = _load(AutoTokenizer, name, checkpoint, **side)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_network(
    checkpoint: Checkpoint,
    options: LoadOptions | None = None,
    kind: Literal["causal", "reward"] = "causal",
) -> Any:
    """Load the weights, with the adapter on them; raises as :func:`load_causal`.

    The model stays where transformers puts it, in its training state.
    """
    import transformers

    options = options or LoadOptions()
    name = checkpoint.model
    if Path(name).expanduser().is_dir():
        only_safetensors(Path(name).expanduser())
    kinds = {"causal": "AutoModelForCausalLM", "reward": "AutoModelForSequenceClassification"}
    network, found = _load(
        getattr(transformers, kinds[kind]),
        name,
        checkpoint,
        use_safetensors=True,
        output_loading_info=True,
        **_arguments(options),
    )
    if missing := sorted(found["missing_keys"]):
        raise _another_kind(name, missing[0], kind)
    return network if checkpoint.adapter is None else with_adapter(network, checkpoint.adapter)


def _arguments(options: LoadOptions) -> dict[str, Any]:
    import torch

    if options.dtype not in DTYPES:
        known = ", ".join(DTYPES)
        raise InputError(f"There is no dtype {options.dtype!r}.", f"Choose of: {known}.")
    usual = usual_dtype(options.device or usual_device())
    found: dict[str, Any] = {
        "dtype": getattr(torch, usual if options.dtype == "auto" else options.dtype)
    }
    if options.attention is not None:
        found["attn_implementation"] = options.attention
    if options.hub_kernels:
        found["use_kernels"] = True
    if options.four_bit_compute is not None:
        from transformers import BitsAndBytesConfig

        found["quantization_config"] = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=getattr(torch, options.four_bit_compute),
        )
    return found


def with_adapter(network: Any, adapter: str) -> Any:
    """The model with an adapter (folder or hub id) on it; raises as :func:`load_causal`."""
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(network, str(adapter_folder(adapter)))
    except (OSError, ValueError) as error:
        raise unloadable(adapter, error) from error


def adapter_folder(adapter: str) -> Path:
    """The adapter's folder, fetched from the hub where it is an id; peft would take a pickle."""
    folder = Path(adapter).expanduser()
    check_folder(adapter)
    if folder.is_dir():
        only_safetensors(folder)
        return folder
    from huggingface_hub import hf_hub_download

    folder = Path(hf_hub_download(adapter, ADAPTER_CONFIG)).parent  # nosec B615 - latest is meant
    # The folder of a snapshot is called by its commit: both files come from the same one.
    hf_hub_download(adapter, ADAPTER_WEIGHTS, revision=folder.name)
    return folder


def _load(loader: Any, name: str, checkpoint: Checkpoint, **options: Any) -> Any:
    """Call a loader of transformers; it is always told whether code may run, and so never asks."""
    from safetensors import SafetensorError

    check_folder(name)
    folder = Path(name).expanduser()
    try:
        return loader.from_pretrained(
            str(folder) if folder.is_dir() else name,
            trust_remote_code=checkpoint.trust_remote_code,
            **options,
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise unloadable(name, error) from error


def check_folder(name: str) -> None:
    """Raise NotFoundError for what is written as a path but is no folder.

    A packaged model's folder is made where it is not there.
    """
    provide(name)
    looks_like_path = name.startswith((".", "~", "/")) or name.count("/") > 1
    if looks_like_path and not Path(name).expanduser().is_dir():
        raise NotFoundError(f"There is no model folder {name}.", "Give a folder or a hub id.")


def only_safetensors(folder: Path) -> None:
    """Raise InputError for a folder whose weights are pickles, which can run code when read."""
    if (folder / ADAPTER_CONFIG).is_file():
        safe = (folder / ADAPTER_WEIGHTS).is_file()
    else:
        safe = any(folder.glob("*.safetensors"))
    pickles = sorted(f.name for f in folder.iterdir() if f.suffix in _PICKLES)
    if pickles and not safe:
        raise InputError(
            f"{folder} holds its weights as {pickles[0]}, a pickle, which can run code when it is "
            "read; only safetensors are loaded.",
            "Save the model as safetensors (save_pretrained does), or take one that is.",
        )


def unloadable(model: str, error: Exception) -> NotFoundError | InputError:
    """The error for a model that transformers cannot load, in one line."""
    if "trust_remote_code" in str(error) or "custom code" in str(error):
        return InputError(
            f"The model {model} brings its own code, which is not run unless it is allowed.",
            "Read that code; if you trust it, set trust_remote_code (--trust-remote-code where the "
            "command has it). Else take a model that transformers knows.",
        )
    first = next(iter(str(error).splitlines()), "") or type(error).__name__
    return NotFoundError(
        f"The model {model} cannot be loaded: {first}",
        "Give a folder with config.json, *.safetensors and a tokenizer, a fine-tuning run, or a "
        "hub id where the hub can be reached.",
    )


def _another_kind(name: str, missing: str, kind: str) -> InputError:
    if kind == "causal":
        return InputError(
            f"{name} is no causal language model: {missing} is not among its weights.",
            "Give a model that writes text; a reward model goes to crowdselect crowd judge.",
        )
    return InputError(
        f"{name} is no reward model: {missing} is not among its weights.",
        "Give a sequence-classification reward model such as Skywork-Reward-V2.",
    )

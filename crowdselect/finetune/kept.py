"""What a forward pass keeps for the backward pass, found by a run that takes no memory.

The model runs on PyTorch's meta device, where tensors have sizes and no contents, and every storage
that autograd saves is counted. So the figure holds for any architecture: GPT-2's activation keeps
three times what a SwiGLU layer of its size does, OPT's a half.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

_LAYERS = 4
"""Layers that are run; the others keep as much."""
_LENGTHS = (32, 64)


@dataclass(frozen=True)
class Kept:
    """Bytes in 32-bit numbers that all layers keep for a sequence of ``n`` tokens."""

    per_token: float
    """Times n."""
    per_pair: float
    """Times n squared, where attention keeps its weights; fused attention does not."""


def kept_by(config: Any) -> Kept | None:
    """Measure a ``transformers`` config; None for a model that does not run without contents."""
    from transformers import AutoModelForCausalLM

    few, share = _shortened(config)
    try:
        import torch

        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
                few, dtype=torch.float32
            )
        model.train()
        short, long = (_saved(model, length) for length in _LENGTHS)
    except (RuntimeError, TypeError, ValueError, NotImplementedError, AttributeError):
        return None  # such as a mixture that looks where its tokens go
    a, b = _LENGTHS
    square = (long - b / a * short) / (b * b - a * b)
    return Kept(share * (short / a - square * a), share * max(square, 0.0))


def _shortened(config: Any) -> tuple[Any, float]:
    """The config with a few layers, and how many times as many there are."""
    few = copy.deepcopy(config)
    text = few.get_text_config()
    layers = int(text.num_hidden_layers)
    text.num_hidden_layers = min(layers, _LAYERS)
    if isinstance(kinds := getattr(text, "layer_types", None), list):
        text.layer_types = kinds[: text.num_hidden_layers]
    return few, layers / text.num_hidden_layers


def _saved(model: Any, length: int) -> float:
    """Bytes that autograd saves for one row, each storage once, parameters left out."""
    import torch

    own = {p.untyped_storage()._cdata for p in model.parameters()}
    found: dict[int, Any] = {}

    def remember(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            found[storage._cdata] = storage  # held, so that no other gets its number
        return tensor

    ids = torch.zeros((1, length), dtype=torch.long, device="meta")
    seen = torch.ones((1, 1, length, length), dtype=torch.bool, device="meta")
    with torch.autograd.graph.saved_tensors_hooks(remember, lambda tensor: tensor):
        output = model.base_model(
            input_ids=ids, attention_mask=seen, position_ids=ids, use_cache=False
        )
    total = sum(storage.nbytes() for storage in found.values())
    del output
    return float(total)

"""Floating point operations per token, and the share of the machine's peak that a run reaches.

Per token, N = matrix parameters with the head but without the input embedding, and
A = 2 * layers * d_attention * s for causal attention forward over documents of mean length s
(QK^T and AV cost 4 * layers * d_attention * s without the causal half):

    full: 6 N + 3 A        LoRA: 4 N + 6 N_lora + 3 A

A frozen weight needs no weight gradient, hence 4 N. Recomputed activations are not counted: this
is model FLOPs utilisation (MFU; Chowdhery et al. 2022, appendix B), not hardware utilisation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from crowdselect.finetune.kept import Kept, kept_by

PEAK_BF16: tuple[tuple[str, float], ...] = (
    (r"GH200|H200", 989e12),
    (r"H100 PCIe", 756e12),
    (r"H100 NVL", 835e12),
    (r"H100|H800", 989e12),
    (r"H20\b", 148e12),
    (r"GB200|B200", 2250e12),
    (r"A100|A800", 312e12),
    (r"L40S", 362e12),
    (r"L40", 181e12),
    (r"L4\b", 121e12),
    (r"A10G?\b", 125e12),
    (r"A40", 150e12),
    (r"RTX 6000 Ada", 364e12),
    (r"RTX A6000", 155e12),
    (r"RTX 4090", 165e12),
    (r"RTX 3090", 71e12),
    (r"MI300X", 1307e12),
)
"""Peak dense bf16 FLOP/s by device name (makers' data sheets, without sparsity)."""


_ATTENTION_DROPOUT = ("attention_dropout", "attn_pdrop", "attn_dropout")


@dataclass(frozen=True)
class ModelShape:
    """What costs time and memory in a causal language model."""

    parameters: int
    matrix_parameters: int
    """Weights of linear layers, head included (tied or not), input embedding excluded."""
    layers: int
    hidden: int
    intermediate: int
    d_attention: int
    """Query heads times head size."""
    d_kv: int
    """Key-value heads times head size."""
    vocabulary: int
    linear: tuple[tuple[str, int, int], ...]
    """Name, inputs and outputs of every linear layer but the head."""
    experts: bool
    """A mixture of experts: the formulas do not hold and no MFU is given."""
    kept: Kept | None = None
    """What the layers keep for the backward pass; None: it could not be measured."""
    attention_dropout: bool = False

    def lora_parameters(self, rank: int, targets: tuple[str, ...]) -> int:
        """Parameters of an adapter: rank * (inputs + outputs) for every targeted layer."""
        return rank * sum(i + o for _, i, o in self.targeted(targets))

    def targeted(self, targets: tuple[str, ...]) -> list[tuple[str, int, int]]:
        """The linear layers that ``targets`` names by the end of their path."""
        if targets == ("all-linear",):
            return list(self.linear)
        return [layer for layer in self.linear if layer[0].rsplit(".", 1)[-1] in targets]


def shape_of(config: Any) -> ModelShape:
    """Measure a ``transformers`` config by building the model without memory (meta device)."""
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.pytorch_utils import Conv1D

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
    head = model.get_output_embeddings()
    # GPT-2 and its kin call a linear layer with a transposed weight a convolution.
    layers = (torch.nn.Linear, Conv1D)
    linear = [(n, m) for n, m in model.named_modules() if isinstance(m, layers)]
    matrices = sum(m.weight.numel() for _, m in linear)
    text = config.get_text_config()
    heads = int(text.num_attention_heads)
    head_size = int(getattr(text, "head_dim", None) or text.hidden_size // heads)
    kv_heads = int(getattr(text, "num_key_value_heads", None) or heads)
    return ModelShape(
        parameters=sum(p.numel() for p in model.parameters()),
        matrix_parameters=matrices,
        layers=int(text.num_hidden_layers),
        hidden=int(text.hidden_size),
        intermediate=int(getattr(text, "intermediate_size", None) or 4 * text.hidden_size),
        d_attention=heads * head_size,
        d_kv=kv_heads * head_size,
        vocabulary=int(text.vocab_size),
        linear=tuple((n, *_sizes(m)) for n, m in linear if m is not head),
        experts=any(getattr(text, key, None) for key in ("num_experts", "num_local_experts")),
        kept=kept_by(config),
        attention_dropout=any(getattr(text, key, None) for key in _ATTENTION_DROPOUT),
    )


def _sizes(layer: Any) -> tuple[int, int]:
    """Inputs and outputs of a linear layer."""
    if hasattr(layer, "in_features"):
        return layer.in_features, layer.out_features
    return tuple(layer.weight.shape)


def flops_per_token(
    shape: ModelShape, mean_length: float, *, lora_parameters: int | None = None
) -> float:
    """Training FLOPs per token; ``lora_parameters`` None: full fine-tuning.

    ``mean_length`` is the mean document length in tokens (not the packed length).
    """
    attention = 2.0 * shape.layers * shape.d_attention * mean_length
    if lora_parameters is None:
        return 6.0 * shape.matrix_parameters + 3.0 * attention
    return 4.0 * shape.matrix_parameters + 6.0 * lora_parameters + 3.0 * attention


def peak_flops(device_name: str) -> float | None:
    """Peak dense bf16 FLOP/s of a known device, else None."""
    for pattern, peak in PEAK_BF16:
        if re.search(pattern, device_name):
            return peak
    return None


def mfu(tokens_per_s: float, per_token: float, peak: float | None, devices: int) -> float | None:
    """Share of the peak in [0, 1]; None where the peak is not known."""
    if peak is None:
        return None
    return tokens_per_s * per_token / (peak * devices)

"""The architectures of the demo models: a family name and a shape in, an untrained model out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast


@dataclass(frozen=True)
class Shape:
    """Width, depth and number of attention heads of a network."""

    hidden: int
    layers: int
    heads: int


def _common(shape: Shape, tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
        "tie_word_embeddings": True,
        "max_position_embeddings": tokenizer.model_max_length,
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
    }


def _llama(shape: Shape, tokenizer: PreTrainedTokenizerFast) -> PreTrainedConfig:
    from transformers import LlamaConfig

    return LlamaConfig(**_common(shape, tokenizer), intermediate_size=3 * shape.hidden)


def _qwen3(shape: Shape, tokenizer: PreTrainedTokenizerFast) -> PreTrainedConfig:
    from transformers import Qwen3Config

    return Qwen3Config(
        **_common(shape, tokenizer),
        intermediate_size=3 * shape.hidden,
        num_key_value_heads=max(1, shape.heads // 2),
        head_dim=shape.hidden // shape.heads,
    )


def _gpt_neox(shape: Shape, tokenizer: PreTrainedTokenizerFast) -> PreTrainedConfig:
    from transformers import GPTNeoXConfig

    return GPTNeoXConfig(
        **_common(shape, tokenizer),
        intermediate_size=4 * shape.hidden,
        rope_parameters={
            "rope_type": "default",
            "rope_theta": 10000.0,
            "partial_rotary_factor": 0.5,
        },
    )


def _gpt2(shape: Shape, tokenizer: PreTrainedTokenizerFast) -> PreTrainedConfig:
    from transformers import GPT2Config

    return GPT2Config(**_common(shape, tokenizer), resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)


def _gemma(shape: Shape, tokenizer: PreTrainedTokenizerFast) -> PreTrainedConfig:
    from transformers import GemmaConfig

    return GemmaConfig(
        **_common(shape, tokenizer),
        intermediate_size=4 * shape.hidden,
        num_key_value_heads=1,
        head_dim=shape.hidden // shape.heads,
    )


def _olmo2(shape: Shape, tokenizer: PreTrainedTokenizerFast) -> PreTrainedConfig:
    from transformers import Olmo2Config

    return Olmo2Config(**_common(shape, tokenizer), intermediate_size=3 * shape.hidden)


ARCHITECTURES: dict[str, Callable[[Shape, PreTrainedTokenizerFast], PreTrainedConfig]] = {
    "llama": _llama,
    "qwen3": _qwen3,
    "gpt_neox": _gpt_neox,
    "gpt2": _gpt2,
    "gemma": _gemma,
    "olmo2": _olmo2,
}


def new_model(
    architecture: str, shape: Shape, tokenizer: PreTrainedTokenizerFast, seed: int
) -> PreTrainedModel:
    """Build a causal language model with random weights (float32) drawn from ``seed``."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    config = ARCHITECTURES[architecture](shape, tokenizer)
    model: PreTrainedModel = AutoModelForCausalLM.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]
    return model

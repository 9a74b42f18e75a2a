"""A small random language model with a tokenizer that writes digits as tokens."""

from pathlib import Path

import pytest

from crowdselect.scoring import Sample

TEXTS = [
    "Say hello to the neighbours in a friendly way.",
    "Count from one to nine: 1 2 3 4 5 6 7 8 9",
    "The rating is:\n1\n2\n3\n4\n5",
    "Instruction: name a river. Response: The Danube, of course.",
]


def make_model(folder: Path, hidden: int, seed: int, vocabulary: int = 400) -> Path:
    """A Llama with random weights, saved as safetensors with a byte-level tokenizer."""
    import torch
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\d|\n"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<pad>", "<end>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(TEXTS * 5, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="<end>")
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=512,
        initializer_range=0.2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def small_model(tmp_path_factory) -> Path:
    return make_model(tmp_path_factory.mktemp("small"), 32, 1)


@pytest.fixture(scope="session")
def large_model(tmp_path_factory) -> Path:
    return make_model(tmp_path_factory.mktemp("large"), 48, 2)


@pytest.fixture(scope="session")
def samples() -> list[Sample]:
    return [
        Sample(f"s{i}", f"Name {i} rivers and say why.", "Because of the water. " * (1 + i % 7))
        for i in range(23)
    ]

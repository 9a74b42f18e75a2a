"""A tiny pretrained model, its tokenizer and small data files, made once per session."""

import threading
import time
from pathlib import Path

import pytest

from crowdselect import jobs
from crowdselect.finetune import FinetuneConfig, create, read_run
from tests.crowds import write_jsonl

WORDS = ["red", "blue", "tree", "bird", "stone", "river", "cloud", "lamp", "seven", "nine"]
TEMPLATE = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' }}"
    "{% if m['role'] == 'assistant' %}{% generation %}{{ ' ' + m['content'] + '<|end|>' }}"
    "{% endgeneration %}{% else %}{{ ' ' + m['content'] }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def chat(i: int, turns: int = 1) -> list[dict[str, str]]:
    """A deterministic conversation: repeat the words in reverse."""
    messages = []
    for t in range(turns):
        words = [WORDS[(i * (k + 3) + t * 5 + k) % len(WORDS)] for k in range(2 + (i + t) % 4)]
        messages.append({"role": "user", "content": "Say in reverse: " + " ".join(words)})
        messages.append({"role": "assistant", "content": " ".join(reversed(words))})
    return messages


@pytest.fixture(scope="session")
def tokenizer():
    """Byte-level BPE with role tokens and a template that marks the answers."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<|pad|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([m["content"] for i in range(50) for m in chat(i)], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<|pad|>",
        eos_token="<|end|>",
        additional_special_tokens=special[2:],
        chat_template=TEMPLATE,
    )


@pytest.fixture(scope="session")
def base_model(tokenizer, tmp_path_factory) -> Path:
    """A Llama of some 0.1 million parameters, briefly trained on text of the same words."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = LlamaForCausalLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    texts = [" ".join(m["content"] for m in chat(i)) for i in range(64)]
    for step in range(60):
        batch = tokenizer(texts[step % 4 :: 4], return_tensors="pt", padding=True)
        labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
        model(
            **{k: batch[k] for k in ("input_ids", "attention_mask")}, labels=labels
        ).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    folder = tmp_path_factory.mktemp("base-model")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def data_file(tmp_path_factory) -> Path:
    """96 conversations as messages; every eighth has two turns."""
    rows = [{"messages": chat(i, 2 if i % 8 == 0 else 1)} for i in range(96)]
    return write_jsonl(tmp_path_factory.mktemp("data") / "train.jsonl", rows)


@pytest.fixture
def settings(base_model, data_file):
    """Options of a short full fine-tune."""

    def make(**options):
        base = {"data": str(data_file), "model": str(base_model), "preset": "demo"}
        return FinetuneConfig(**{**base, "max_steps": 12, "burst_steps": 0, **options})

    return make


def finish(workspace, config):
    """Run in this process; the run must be done."""
    path = create(workspace, config)
    assert jobs.run_here(path) == "done", read_run(path).error
    return path


def stop_and_read_state(path, step):
    """Run in this process; cancel from another thread once ``step`` is logged."""

    def stop():
        while not any(p.step >= step for p in read_run(path).curve):
            time.sleep(0.01)
        jobs.cancel(path)

    thread = threading.Thread(target=stop)
    thread.start()
    state = jobs.run_here(path)
    thread.join()
    return state

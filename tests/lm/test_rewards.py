"""A reward is read at a conversation's last token, whatever pads the batch: by real tiny models."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from crowdselect.errors import InputError
from crowdselect.lm.rewards import load_reward_model, scored_batches
from tests.finetune.conftest import base_model, chat, tokenizer

__all__ = ["base_model", "tokenizer"]

ENDS_IN_END = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
"""As Llama-3's: the conversation's last token is the end token, and there is no pad token."""
KINDS: dict[str, dict[str, Any]] = {
    "llama": {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    },
    "qwen2": {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
    },
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4},
    "gpt_neox": {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    },
    "bert": {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    },
}


@pytest.fixture(scope="module")
def made(tokenizer: Any, tmp_path_factory: Any) -> Any:
    """A reward model of a kind in a folder: random weights, the end token last, no pad token."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    def make(kind: str) -> Path:
        folder: Path = tmp_path_factory.mktemp(kind)
        own = deepcopy(tokenizer)
        own.chat_template = ENDS_IN_END
        own.pad_token = None
        torch.manual_seed(7)
        config = AutoConfig.for_model(
            kind,
            vocab_size=len(own),
            num_labels=1,
            eos_token_id=own.eos_token_id,
            initializer_range=0.2,
            **KINDS[kind],
        )
        if kind != "bert":
            config.pad_token_id = None
        AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
        own.save_pretrained(folder)
        return folder

    return make


def alone(folder: Path, rows: list[list[int]]) -> list[float]:
    """Each row by itself, unpadded, by the model's own forward."""
    import torch
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.inference_mode():
        return [model(input_ids=torch.tensor([row])).logits[0, 0].item() for row in rows]


@pytest.mark.parametrize("kind", KINDS)
def test_rewards_in_batches_are_those_of_rows_alone(made: Any, kind: str) -> None:
    folder = made(kind)
    judge = load_reward_model(str(folder))
    rows = [judge.ids(chat(i, 1 + i % 3)) for i in range(9)]
    assert {row[-1] for row in rows} == {judge.tokenizer.eos_token_id}
    assert len({len(row) for row in rows}) > 3
    found = [0.0] * len(rows)
    for places, values in scored_batches(judge, rows, 400):
        for place, value in zip(places, values, strict=True):
            found[place] = value
    want = alone(folder, rows)
    assert found == pytest.approx(want, abs=1e-5)
    assert max(want) - min(want) > 1e-3, "they differ, so a swap would show"


def test_a_padding_token_that_is_the_end_token_changes_no_reward(made: Any) -> None:
    """Set in the model's config: transformers' own forward then reads one token early."""
    import json

    folder = made("llama")
    judge = load_reward_model(str(folder))
    rows = [judge.ids(chat(i)) for i in range(4)]
    want = alone(folder, rows)
    config = json.loads((folder / "config.json").read_text())
    config["pad_token_id"] = config["eos_token_id"]
    (folder / "config.json").write_text(json.dumps(config))
    assert alone(folder, rows) != pytest.approx(want, abs=1e-3), "the trap is there"
    load_reward_model.cache_clear()
    again = load_reward_model(str(folder))
    found = dict[int, float]()
    for places, values in scored_batches(again, rows, 10_000):
        found |= dict(zip(places, values, strict=True))
    assert [found[i] for i in range(4)] == pytest.approx(want, abs=1e-5)


def test_a_language_model_is_no_reward_model(base_model: Path) -> None:
    """transformers would make up a head, and reward with random numbers."""
    with pytest.raises(InputError, match=r"no reward model: score.weight is not among"):
        load_reward_model(str(base_model))

"""Which tokens are the answer: the same for what a fine-tune learns and a held-out loss counts."""

from copy import deepcopy

import pytest

from crowdselect.benchmark.heldout_loss import HeldoutLoss, answer_bytes
from crowdselect.errors import InputError
from crowdselect.finetune import template as taught
from crowdselect.lm.conversations import Conversation
from crowdselect.lm.encoding import IGNORED, encode, settled_format
from tests.finetune.conftest import tokenizer

__all__ = ["tokenizer"]

TALK = (
    {"role": "user", "content": "red blue"},
    {"role": "assistant", "content": "blue red"},
    {"role": "user", "content": "tree?"},
    {"role": "assistant", "content": "bird"},
)
LINES = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
FORGETFUL = (
    "{% for m in messages %}<|{{ m.role }}|>"
    "{{ m.content if loop.last or m.role != 'assistant' else '...' }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
STRICT = "{{ raise_exception('roles must alternate') }}{% generation %}{% endgeneration %}"


def with_template(tokenizer, template):
    made = deepcopy(tokenizer)
    made.chat_template = template
    return made


@pytest.mark.parametrize(
    ("template", "expected", "size"),
    [
        (LINES, "blue red<|end|>bird<|end|>", 12),
        (None, "blue red<|end|>bird<|end|>", 12),
        (FORGETFUL, "bird<|end|>", 4),
    ],
    ids=["line-break-after-the-end", "none-so-plain", "rewrites-earlier-turns"],
)
def test_held_out_loss_counts_what_a_fine_tune_learns(tokenizer, template, expected, size):
    made = with_template(tokenizer, template)
    row = Conversation(1, TALK)
    (counted,) = encode(made, settled_format(made), [row])
    (learned,) = taught.encode(made, taught.chat_format(made, "auto"), [row])
    assert counted == learned
    assert made.decode([label for label in counted.labels if label != IGNORED]) == expected
    assert answer_bytes(counted, 512) == size
    assert HeldoutLoss.version == 2, "losses of before counted the line break"


def test_a_refusal_offers_only_what_its_reader_can_do(tokenizer):
    made = with_template(tokenizer, STRICT)
    row = Conversation(3, TALK)
    with pytest.raises(InputError, match=r"Row 3.*must alternate") as benchmark:
        encode(made, settled_format(made), [row])
    assert "--option" not in benchmark.value.remedy
    with pytest.raises(InputError, match=r"Row 3.*must alternate") as training:
        taught.encode(made, taught.chat_format(made, "auto"), [row])
    assert "--option chat_template=plain" in training.value.remedy

"""The demo models' tokenizer: a small byte-level BPE that spells digits and capitals singly."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, END, USER, ASSISTANT, SYSTEM = "<|pad|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ ' ' + message['content'] + '<|end|>' }}{% endgeneration %}"
    "{% else %}{{ ' ' + message['content'] }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
"""Marks each role; an assistant's turn ends with ``<|end|>`` and is marked for assistant-only loss.

The space before the content makes a word the same token at the start of a text as inside it.
"""

_CAPITALS = r"(?<=[A-Z])[A-Z]|[A-Z](?=[A-Z])"


def chat_text(instruction: str, answer: str = "") -> tuple[str, str]:
    """Return prompt and completion as the chat template writes them."""
    return f"{USER} {instruction}{ASSISTANT}", f" {answer}{END}"


def train_tokenizer(
    texts: Iterable[str], vocabulary: int = 1024, max_length: int = 512
) -> PreTrainedTokenizerFast:
    """Train the tokenizer on plain texts.

    Digits, and letters of words in capitals, are tokens of their own, so that a model sees what
    it is to count, sort or reverse; frequent words become one token. Every byte has a token, so
    any text round-trips.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_CAPITALS), "isolated"),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, END, USER, ASSISTANT, SYSTEM],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=[USER, ASSISTANT, SYSTEM],
        chat_template=CHAT_TEMPLATE,
        model_max_length=max_length,
        padding_side="left",
    )

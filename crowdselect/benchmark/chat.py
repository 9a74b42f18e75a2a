"""Conversations as prompts: a chat template is always applied, the model's own or a plain one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Message = dict[str, str]
"""``{"role": "system" | "user" | "assistant", "content": text}``."""

PLAIN_TEMPLATE = (
    "{% for message in messages %}"
    "{{ message['role'].capitalize() + ': ' + message['content'] + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
"""For a model without a template of its own; named ``plain`` in the protocol."""


def template_name(tokenizer: Any) -> str:
    """Which template is applied: ``model`` or ``plain``."""
    return "model" if tokenizer.chat_template else "plain"


def render(tokenizer: Any, messages: Sequence[Message]) -> str:
    """The prompt text that ends where the assistant is to speak."""
    template = None if tokenizer.chat_template else PLAIN_TEMPLATE
    text: str = tokenizer.apply_chat_template(
        list(messages), tokenize=False, add_generation_prompt=True, chat_template=template
    )
    return text


def token_ids(tokenizer: Any, text: str) -> list[int]:
    """Token ids of a rendered prompt; special tokens come from the template alone."""
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids

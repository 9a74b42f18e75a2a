"""Conversations as prompts: a chat template is always applied, the model's own or a plain one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from crowdselect.errors import InputError
from crowdselect.lm.messages import Message, for_template

PLAIN_TEMPLATE = (
    "{% for message in messages %}"
    "{% if not loop.first %}{{ '\\n\\n' }}{% endif %}"
    "{% if message['role'] == 'system' %}{{ message['content'] }}"
    "{% elif message['role'] == 'assistant' %}"
    "{{ '### Response:\\n' + message['content'] + eos_token }}"
    "{% else %}{{ '### Instruction:\\n' + message['content'] }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '\\n\\n### Response:\\n' }}{% endif %}"
)
"""For a model without a template: the headings that our fine-tuning gives such a model, so that a
base and its fine-tunes are asked alike."""


def template_name(tokenizer: Any) -> Literal["model", "plain"]:
    """Which template is applied."""
    return "model" if tokenizer.chat_template else "plain"


def render(
    tokenizer: Any,
    messages: Sequence[Message],
    *,
    complete: bool = False,
    tools: Sequence[dict[str, Any]] = (),
) -> str:
    """The prompt text that ends where the assistant is to speak.

    ``complete``: the conversation as it stands, with its last answer. ``tools``: descriptions of
    what the assistant may call.
    Raises InputError where the template refuses the roles.
    """
    from jinja2 import TemplateError

    template = None
    if not tokenizer.chat_template:
        template = ("{{ bos_token }}" if _adds_begin_token(tokenizer) else "") + PLAIN_TEMPLATE
    try:
        text: str = tokenizer.apply_chat_template(
            for_template(messages),
            tokenize=False,
            add_generation_prompt=not complete,
            chat_template=template,
            tools=list(tools) or None,
        )
    except (TemplateError, TypeError, ValueError) as error:
        raise InputError(
            f"The model's chat template refuses a conversation: {error}",
            "Its roles must be those that the template knows, in their order.",
        ) from error
    return text


def token_ids(tokenizer: Any, text: str) -> list[int]:
    """Token ids of a rendered prompt; special tokens come from the template alone."""
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def _adds_begin_token(tokenizer: Any) -> bool:
    begin = tokenizer.bos_token_id
    return begin is not None and tokenizer("a")["input_ids"][:1] == [begin]

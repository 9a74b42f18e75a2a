"""What a prompt looks like: one function for training, benchmarks, rewards and generation.

A model's own template counts, else a plain one. A fine-tune saves the template that it was trained
with, so a model is asked as it was taught.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from crowdselect.errors import InputError
from crowdselect.lm.messages import Message, for_template

_PLAIN = (
    "{% for message in messages %}"
    "{% if not loop.first %}{{ '\\n\\n' }}{% endif %}"
    "{% if message['role'] == 'system' %}{{ message['content'] }}"
    "{% elif message['role'] == 'assistant' %}{{ '### Response:\\n' }}"
    "{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}"
    "{% else %}{{ '### Instruction:\\n' + message['content'] }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '\\n\\n### Response:\\n' }}{% endif %}"
)
_RAW = (
    "{% if messages[0]['role'] != 'user' or messages | length > 2 %}"
    "{{ raise_exception('raw text is one prompt and its answer') }}{% endif %}"
    "{{ messages[0]['content'] }}"
    "{% for message in messages[1:] %}"
    "{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}"
    "{% endfor %}"
)


def plain_template(tokenizer: Any) -> str:
    """For models without a template: headings in plain text and the model's own end token.

    No token has to be added to the vocabulary.
    """
    return _begin(tokenizer) + _PLAIN


def raw_template(tokenizer: Any) -> str:
    """The prompt, the answer and the end token, nothing else; one exchange at most."""
    return _begin(tokenizer) + _RAW


def own_template(tokenizer: Any) -> str | None:
    """The model's own template; of several the one for conversations without tools."""
    own = tokenizer.chat_template
    found = own.get("default") if isinstance(own, dict) else own
    return found or None


def settled_template(tokenizer: Any) -> str:
    """The template by which a model is asked: its own, else the plain one."""
    return own_template(tokenizer) or plain_template(tokenizer)


def template_name(tokenizer: Any) -> Literal["model", "plain", "raw"]:
    """Which template that is."""
    own = own_template(tokenizer)
    return "plain" if own is None else "raw" if own.endswith(_RAW) else "model"


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
    remedy = "Its roles must be those that the template knows, in their order."
    return str(
        apply(
            tokenizer,
            settled_template(tokenizer),
            messages,
            tools,
            refusal=("The model's chat template refuses a conversation", remedy),
            tokenize=False,
            add_generation_prompt=not complete,
        )
    )


def apply(
    tokenizer: Any,
    template: str,
    messages: Sequence[Message],
    tools: Sequence[dict[str, Any]] = (),
    *,
    refusal: tuple[str, str],
    **options: Any,
) -> Any:
    """What the tokenizer makes of a conversation under ``template``, with transformers' options.

    Raises InputError with ``refusal`` (the problem's beginning, and the remedy) where the template
    refuses the conversation.
    """
    from jinja2 import TemplateError

    try:
        return tokenizer.apply_chat_template(
            for_template(messages), chat_template=template, tools=list(tools) or None, **options
        )
    except (TemplateError, TypeError, ValueError, AttributeError, KeyError) as error:
        problem, remedy = refusal
        raise InputError(f"{problem}: {error}.", remedy) from error


def token_ids(tokenizer: Any, text: str) -> list[int]:
    """Token ids of a rendered prompt; special tokens come from the template alone."""
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def _begin(tokenizer: Any) -> str:
    """The begin token where the tokenizer itself would put it before a text."""
    begin = tokenizer.bos_token_id
    adds = begin is not None and tokenizer("a")["input_ids"][:1] == [begin]
    return "{{ bos_token }}" if adds else ""

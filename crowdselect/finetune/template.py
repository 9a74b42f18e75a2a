"""Which chat template a fine-tune is trained with, and what of its rows that template writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from crowdselect.errors import InputError
from crowdselect.lm import encoding
from crowdselect.lm.conversations import Conversation
from crowdselect.lm.encoding import (
    IGNORED,
    ChatFormat,
    Encoded,
    WaysOut,
    has_markers,
    special_ids,
    whole_text,
)
from crowdselect.lm.messages import Message
from crowdselect.lm.template import own_template, plain_template, raw_template
from crowdselect.lm.written import left_out
from crowdselect.reading import read_text

MERGE_SYSTEM = "merge-system"
"""The choice of a chat template that merges the system text into the first question."""

WAYS_OUT = WaysOut(
    plain="take the plain template: --option chat_template=plain",
    merge=f"merge its system text: --option chat_template={MERGE_SYSTEM}",
)

_PROBE: tuple[Message, ...] = (
    {"role": "user", "content": "a"},
    {"role": "assistant", "content": "b"},
)


def chat_format(tokenizer: Any, choice: str) -> ChatFormat:
    """Return the format that ``choice`` means for this tokenizer.

    ``auto`` takes the model's own template, else the plain one; ``merge-system`` does the
    same and puts system texts before the first question. For a template that writes
    earlier turns differently once later ones follow, TRL's variant of it, which marks the
    answers, is used in training where the family is known. Raises InputError for a file that is
    not there, and for a tokenizer without an end token where one is needed.
    """
    if choice == "none":
        _need_end_token(tokenizer)
        return ChatFormat(None, "none", False, raw_template(tokenizer))
    if choice == MERGE_SYSTEM:
        return replace(chat_format(tokenizer, "auto"), merges_system=True)
    if choice == "auto" and (own := own_template(tokenizer)):
        return _marked_variant(tokenizer, own)
    if choice in ("auto", "plain"):
        _need_end_token(tokenizer)
        text = plain_template(tokenizer)
        return ChatFormat(text, "plain", True, text)
    path = Path(choice).expanduser()
    if not path.is_file():
        raise InputError(
            f"The chat template {choice!r} is no file and none of auto, {MERGE_SYSTEM}, plain, "
            "none.",
            "Give a Jinja file, or leave it at auto.",
        )
    text = read_text(path, limit=1 << 24).text
    return ChatFormat(text, "file", has_markers(text), text)


def _marked_variant(tokenizer: Any, own: str) -> ChatFormat:
    from trl.chat_template_utils import get_training_chat_template

    if has_markers(own) or _keeps_prefixes(tokenizer, own):
        return ChatFormat(own, "model", has_markers(own), own)
    try:
        patched = get_training_chat_template(tokenizer)
    except ValueError:  # no variant of this template is known: answers are found by their prefix
        return ChatFormat(own, "model", False, own)
    return ChatFormat(patched or own, "model", patched is not None, own)


def _keeps_prefixes(tokenizer: Any, template: str) -> bool:
    """Whether two turns begin with exactly the text of the first one."""
    chat = ChatFormat(template, "model", False, template)

    def text(messages: Sequence[Message]) -> str:
        return whole_text(tokenizer, chat, Conversation(0, tuple(messages)), ways_out=WAYS_OUT)

    return text([*_PROBE, *_PROBE]).startswith(text(_PROBE))


def _need_end_token(tokenizer: Any) -> None:
    if tokenizer.eos_token is None:
        raise InputError(
            "The model's tokenizer has no end token, so no answer could ever end.",
            "Set eos_token in its tokenizer_config.json.",
        )


def end_of_turn(tokenizer: Any, chat: ChatFormat) -> str | None:
    """Return the token that the model learns to stop with; None: it learns none."""
    labels = encode(tokenizer, chat, [Conversation(1, _PROBE)])[0].labels
    special = special_ids(tokenizer)
    for token in reversed([t for t in labels if t != IGNORED]):
        if token in special:
            return str(tokenizer.convert_ids_to_tokens(token))
        if tokenizer.decode([token]).strip():
            break
    return None


def encode(
    tokenizer: Any, chat: ChatFormat, conversations: Sequence[Conversation]
) -> list[Encoded]:
    """Encode conversations, with what a fine-tune offers about a row that is refused.

    Raises InputError: see :func:`crowdselect.lm.encoding.encode`.
    """
    return encoding.encode(tokenizer, chat, conversations, WAYS_OUT)


def unused_parts(tokenizer: Any, chat: ChatFormat, conversation: Conversation) -> tuple[str, ...]:
    """The parts of a conversation that the template does not write, by their names."""
    return tuple(left_out(conversation, partial(whole_text, tokenizer, chat, ways_out=WAYS_OUT)))

"""Conversations -> token ids and labels: the chat template, and which tokens carry the loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from crowdselect.errors import InputError
from crowdselect.finetune.data import Conversation, Message

IGNORED = -100
"""The label of a token without loss."""

PLAIN_TEMPLATE = (
    "{% for message in messages %}"
    "{% if not loop.first %}{{ '\\n\\n' }}{% endif %}"
    "{% if message['role'] == 'system' %}{{ message['content'] }}"
    "{% elif message['role'] == 'assistant' %}{{ '### Response:\\n' }}"
    "{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}"
    "{% else %}{{ '### Instruction:\\n' + message['content'] }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '\\n\\n### Response:\\n' }}{% endif %}"
)
"""For models without a template: headings in plain text and the model's own end token, so no
token has to be added to the vocabulary."""

_PROBE: tuple[Message, ...] = (
    {"role": "user", "content": "a"},
    {"role": "assistant", "content": "b"},
)


@dataclass(frozen=True)
class ChatFormat:
    """How conversations become text."""

    template: str | None
    """Jinja; None: prompt, answer and end token, nothing else."""
    source: Literal["model", "plain", "file", "none"]
    marked: bool
    """Whether the template marks the answers with ``{% generation %}``."""
    kept_template: str | None
    """What is saved with the model: the model's own template, unpatched."""


@dataclass(frozen=True)
class Encoded:
    """One row as tokens."""

    input_ids: list[int]
    labels: list[int]
    """``input_ids`` where a token carries loss, IGNORED elsewhere; same length."""


def chat_format(tokenizer: Any, choice: str) -> ChatFormat:
    """Return the format that ``choice`` means for this tokenizer.

    ``auto`` takes the model's own template, else :data:`PLAIN_TEMPLATE`. For a template that writes
    earlier turns differently once later ones follow, TRL's variant of it, which marks the
    answers, is used in training where the family is known. Raises InputError for a file that is
    not there, and for a tokenizer without an end token where one is needed.
    """
    if choice == "none":
        _need_end_token(tokenizer)
        return ChatFormat(None, "none", False, None)
    if choice == "auto" and tokenizer.chat_template:
        own = tokenizer.chat_template
        own = own["default"] if isinstance(own, dict) else own
        return _marked_variant(tokenizer, own)
    if choice in ("auto", "plain"):
        _need_end_token(tokenizer)
        begin = "{{ bos_token }}" if _adds_begin_token(tokenizer) else ""
        text = begin + PLAIN_TEMPLATE
        return ChatFormat(text, "plain", True, text)
    path = Path(choice)
    if not path.is_file():
        raise InputError(
            f"The chat template {choice!r} is neither auto, plain, none nor a file.",
            "Give a Jinja file, or leave it at auto.",
        )
    text = path.read_text(encoding="utf-8")
    return ChatFormat(text, "file", _has_markers(text), text)


def _has_markers(template: str) -> bool:
    from trl.chat_template_utils import has_generation_markers

    return bool(has_generation_markers(template))


def _marked_variant(tokenizer: Any, own: str) -> ChatFormat:
    from trl.chat_template_utils import get_training_chat_template

    if _has_markers(own) or _keeps_prefixes(tokenizer, own):
        return ChatFormat(own, "model", _has_markers(own), own)
    try:
        patched = get_training_chat_template(tokenizer)
    except ValueError:  # no variant of this template is known: answers are found by their prefix
        return ChatFormat(own, "model", False, own)
    return ChatFormat(patched or own, "model", patched is not None, own)


def _keeps_prefixes(tokenizer: Any, template: str) -> bool:
    """Whether two turns begin with exactly the text of the first one."""

    def text(messages: Sequence[Message]) -> str:
        return str(_render(tokenizer, template, 0, list(messages), tokenize=False))

    return text([*_PROBE, *_PROBE]).startswith(text(_PROBE))


def _adds_begin_token(tokenizer: Any) -> bool:
    ids = tokenizer("a")["input_ids"]
    return tokenizer.bos_token_id is not None and ids[:1] == [tokenizer.bos_token_id]


def _need_end_token(tokenizer: Any) -> None:
    if tokenizer.eos_token is None:
        raise InputError(
            "The model's tokenizer has no end token, so no answer could ever end.",
            "Set eos_token in its tokenizer_config.json.",
        )


def end_of_turn(tokenizer: Any, chat: ChatFormat) -> str | None:
    """Return the token that the model learns to stop with; None: it learns none."""
    labels = encode(tokenizer, chat, [Conversation(1, _PROBE)])[0].labels
    special = set(tokenizer.all_special_ids) | set(tokenizer.get_added_vocab().values())
    for token in reversed([t for t in labels if t != IGNORED]):
        if token in special:
            return str(tokenizer.convert_ids_to_tokens(token))
        if tokenizer.decode([token]).strip():
            break
    return None


def encode(
    tokenizer: Any, chat: ChatFormat, conversations: Sequence[Conversation]
) -> list[Encoded]:
    """Encode conversations; only assistant turns (with their end token) carry loss.

    Raises
    ------
    InputError
        Naming the row, if the template refuses a conversation (for example two user turns in
        a row), or raw text is asked for and there is more than one prompt and one answer.
    """
    if chat.template is None:
        return [_encode_raw(tokenizer, conversation) for conversation in conversations]
    if chat.marked:
        return _encode_marked(tokenizer, chat.template, conversations)
    return [_encode_by_prefix(tokenizer, chat.template, c) for c in conversations]


def _encode_raw(tokenizer: Any, conversation: Conversation) -> Encoded:
    if [m["role"] for m in conversation.messages] != ["user", "assistant"]:
        raise InputError(
            f"Row {conversation.row} is not one prompt and one answer, which raw text needs.",
            "Use --chat-template auto or plain.",
        )
    prompt, answer = (m["content"] for m in conversation.messages)
    return _label_spans(
        tokenizer, prompt + answer + tokenizer.eos_token, [(len(prompt), None)], special=True
    )


def _render(tokenizer: Any, template: str, row: int, messages: Any, **options: Any) -> Any:
    from jinja2 import TemplateError

    try:
        return tokenizer.apply_chat_template(messages, chat_template=template, **options)
    except (TemplateError, TypeError, ValueError) as error:
        raise InputError(
            f"Row {row}: the chat template refuses the conversation: {error}.",
            "Correct the order of the roles, or use --chat-template plain.",
        ) from error


def _encode_marked(
    tokenizer: Any, template: str, conversations: Sequence[Conversation]
) -> list[Encoded]:
    options = {"tokenize": True, "return_dict": True, "return_assistant_tokens_mask": True}
    encoded = []
    for conversation in conversations:
        out = _render(tokenizer, template, conversation.row, list(conversation.messages), **options)
        labels = [
            token if carries else IGNORED
            for token, carries in zip(out["input_ids"], out["assistant_masks"], strict=True)
        ]
        encoded.append(Encoded(list(out["input_ids"]), labels))
    return encoded


def _encode_by_prefix(tokenizer: Any, template: str, conversation: Conversation) -> Encoded:
    """Find each answer as what it adds to the text of the turns before it.

    A template that writes earlier turns differently once later ones follow (say, drops their
    reasoning) gives no such prefix; then only the last answer carries loss.
    """
    turns = list(conversation.messages)

    def text_of(messages: list[Message], prompt: bool) -> str:
        return str(
            _render(
                tokenizer,
                template,
                conversation.row,
                messages,
                tokenize=False,
                add_generation_prompt=prompt,
            )
        )

    whole = text_of(turns, False)
    spans: list[tuple[int, int | None]] = []
    answers = [i for i, m in enumerate(turns) if m["role"] == "assistant"]
    for i in answers:
        before, after = text_of(turns[:i], True), text_of(turns[: i + 1], False)
        if whole.startswith(before) and whole.startswith(after):
            spans.append((len(before), len(after)))
        elif i == answers[-1]:
            spans.append((_shared(before, whole), len(whole)))
    return _label_spans(tokenizer, whole, spans, special=False)


def _shared(a: str, b: str) -> int:
    """Length of the common prefix."""
    length = 0
    while length < min(len(a), len(b)) and a[length] == b[length]:
        length += 1
    return length


def _label_spans(
    tokenizer: Any, text: str, spans: Sequence[tuple[int, int | None]], *, special: bool
) -> Encoded:
    """Tokens that begin inside a span carry loss, up to the span's last special token if any.

    A template's line break after the end token belongs to the next turn: it is nothing that
    a model should learn to write after it has stopped.
    """
    out = tokenizer(text, add_special_tokens=special, return_offsets_mapping=True)
    ids, starts = list(out["input_ids"]), [start for start, _ in out["offset_mapping"]]
    widths = [end - start for start, end in out["offset_mapping"]]
    labels = [IGNORED] * len(ids)
    special_ids = set(tokenizer.all_special_ids) | set(tokenizer.get_added_vocab().values())
    for begin, end in spans:
        last = len(text) if end is None else end
        inside = [
            i
            for i, (s, w) in enumerate(zip(starts, widths, strict=True))
            if begin <= s < last and w
        ]
        ends = [i for i in inside if ids[i] in special_ids]
        stop = ends[-1] if ends else (inside[-1] if inside else -1)
        for i in inside:
            if i <= stop:
                labels[i] = ids[i]
    return Encoded(ids, labels)

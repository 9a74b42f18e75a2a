"""Conversations -> token ids and labels: the chat template, and which tokens carry the loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from crowdselect.errors import InputError
from crowdselect.lm.conversations import Conversation
from crowdselect.lm.messages import Message
from crowdselect.lm.template import apply, own_template, plain_template, raw_template
from crowdselect.lm.written import check_calls, left_out
from crowdselect.reading import read_text

MERGE_SYSTEM = "merge-system"
"""The choice of a chat template that merges the system text into the first question."""

IGNORED = -100
"""The label of a token without loss."""

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
    """What is saved with the model: the template that it is to be asked by, unpatched."""
    merges_system: bool = False
    """Whether a system text is put before the first question, for a template without that role."""


@dataclass(frozen=True)
class Encoded:
    """One row as tokens."""

    input_ids: list[int]
    labels: list[int]
    """``input_ids`` where a token carries loss, IGNORED elsewhere; same length."""


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
        return _text(tokenizer, template, Conversation(0, tuple(messages)))

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
        a row) or does not write a tool's call, or raw text is asked for and there is more than one
        prompt and one answer.
    """
    if chat.merges_system:
        conversations = [_merged(c) for c in conversations]
    for conversation in conversations:
        check_calls(conversation, partial(_whole, tokenizer, chat))
    if chat.template is None:
        return [_encode_raw(tokenizer, conversation) for conversation in conversations]
    if chat.marked:
        return _encode_marked(tokenizer, chat.template, conversations)
    return [_encode_by_prefix(tokenizer, chat.template, c) for c in conversations]


def _encode_raw(tokenizer: Any, conversation: Conversation) -> Encoded:
    if [m["role"] for m in conversation.messages] != ["user", "assistant"]:
        raise InputError(
            f"Row {conversation.row} is not one prompt and one answer, which raw text needs.",
            "Use --option chat_template=auto, or chat_template=plain.",
        )
    prompt, answer = (m["content"] for m in conversation.messages)
    return _label_spans(
        tokenizer, prompt + answer + tokenizer.eos_token, [(len(prompt), None)], special=True
    )


def _merged(conversation: Conversation) -> Conversation:
    """With the system text before the first question, for templates that know no system role."""
    first, *rest = conversation.messages
    place = next((k for k, m in enumerate(rest) if m["role"] == "user"), None)
    if first["role"] != "system" or place is None:
        return conversation
    asked = rest[place]
    text = "\n\n".join(filter(None, (first["content"], asked["content"])))
    rest[place] = {**asked, "content": text}
    return replace(conversation, messages=tuple(rest))


def unused_parts(tokenizer: Any, chat: ChatFormat, conversation: Conversation) -> tuple[str, ...]:
    """The parts of a conversation that the template does not write, by their names."""
    return tuple(left_out(conversation, partial(_whole, tokenizer, chat)))


def _whole(tokenizer: Any, chat: ChatFormat, conversation: Conversation) -> str:
    if chat.template is None:
        return "".join(m["content"] for m in conversation.messages)
    whole = _merged(conversation) if chat.merges_system else conversation
    return _text(tokenizer, chat.template, whole)


def _render(tokenizer: Any, template: str, conversation: Conversation, **options: Any) -> Any:
    has_system = any(m["role"] == "system" for m in conversation.messages)
    merge = f"or merge its system text: --option chat_template={MERGE_SYSTEM}; "
    remedy = (
        f"Correct the order of the roles; {merge if has_system else ''}"
        "or take the plain template: --option chat_template=plain"
    )
    refusal = (f"Row {conversation.row}: the chat template refuses the conversation", remedy)
    messages, tools = conversation.messages, conversation.tools
    return apply(tokenizer, template, messages, tools, refusal=refusal, **options)


def _text(
    tokenizer: Any, template: str, conversation: Conversation, turns: int | None = None,
    *, prompt: bool = False,
) -> str:  # fmt: skip
    """The text of the first ``turns`` messages; ``prompt``: up to where the assistant speaks."""
    part = replace(conversation, messages=conversation.messages[:turns])
    return str(_render(tokenizer, template, part, tokenize=False, add_generation_prompt=prompt))


def _encode_marked(
    tokenizer: Any, template: str, conversations: Sequence[Conversation]
) -> list[Encoded]:
    options = {"tokenize": True, "return_dict": True, "return_assistant_tokens_mask": True}
    encoded = []
    for conversation in conversations:
        out = _render(tokenizer, template, conversation, **options)
        carries = _weighted(list(out["assistant_masks"]), conversation)
        labels = [
            token if carried else IGNORED
            for token, carried in zip(out["input_ids"], carries, strict=True)
        ]
        encoded.append(Encoded(list(out["input_ids"]), labels))
    return encoded


def _weighted(mask: list[int], conversation: Conversation) -> list[int]:
    """The mask of the answers without those whose weight is 0."""
    answers = [m for m in conversation.messages if m["role"] == "assistant"]
    if all(_counts(m) for m in answers):
        return mask
    starts = [k for k, on in enumerate(mask) if on and not (k and mask[k - 1])]
    if len(starts) != len(answers):
        raise InputError(
            f"Row {conversation.row} has answers of weight 0, but its chat template does not "
            "tell its answers apart.",
            "Leave those turns out, or take --option chat_template=plain",
        )
    kept = list(mask)
    for start, message in zip(starts, answers, strict=True):
        place = start
        while not _counts(message) and place < len(kept) and mask[place]:
            kept[place] = 0
            place += 1
    return kept


def _counts(message: Message) -> bool:
    """Whether an answer is trained on."""
    return message.get("weight", 1) != 0


def _encode_by_prefix(tokenizer: Any, template: str, conversation: Conversation) -> Encoded:
    """Find each answer as what it adds to the text of the turns before it.

    A template that writes earlier turns differently once later ones follow (say, drops their
    reasoning) gives no such prefix; then only the last answer carries loss.
    """
    turns = conversation.messages
    whole = _text(tokenizer, template, conversation)
    spans: list[tuple[int, int | None]] = []
    answers = [i for i, m in enumerate(turns) if m["role"] == "assistant"]
    for i in answers:
        if not _counts(turns[i]):
            continue
        before = _text(tokenizer, template, conversation, i, prompt=True)
        after = _text(tokenizer, template, conversation, i + 1)
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

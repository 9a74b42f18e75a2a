"""Conversations -> token ids, and which of them are the answers: one rule for all.

What a fine-tune learns from and what a held-out loss counts are the same tokens: an answer's, from
where the template asks for it to its end token. A line break that the template writes after the
end token belongs to the next turn: it is nothing that a model says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from crowdselect.errors import InputError
from crowdselect.lm.conversations import Conversation
from crowdselect.lm.messages import Message
from crowdselect.lm.template import apply, own_template, settled_template
from crowdselect.lm.written import check_calls

IGNORED = -100
"""The label of a token without loss."""


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
    answers: tuple[Message, ...] = ()
    """The messages whose tokens carry loss."""


@dataclass(frozen=True)
class WaysOut:
    """What a person can do about a row that cannot be encoded, beside correcting it."""

    plain: str = ""
    """How another template is taken; empty: it cannot be."""
    merge: str = ""
    """How system texts are merged into questions; empty: they cannot be."""


def settled_format(tokenizer: Any) -> ChatFormat:
    """The format by which a model is asked: its own template as it stands, else the plain one."""
    template = settled_template(tokenizer)
    source: Literal["model", "plain"] = "model" if own_template(tokenizer) else "plain"
    return ChatFormat(template, source, has_markers(template), template)


def special_ids(tokenizer: Any) -> set[int]:
    """Ids of the tokens that templates write beside text, such as the end of a turn."""
    return set(tokenizer.all_special_ids) | set(tokenizer.get_added_vocab().values())


def has_markers(template: str) -> bool:
    """Whether a template marks the answers with ``{% generation %}``."""
    return re.search(r"\{%-?\s*generation\s*-?%\}", template) is not None


def encode(
    tokenizer: Any,
    chat: ChatFormat,
    conversations: Sequence[Conversation],
    ways_out: WaysOut = WaysOut(),
) -> list[Encoded]:
    """Encode conversations; only assistant turns (with their end token) carry loss.

    Answers of weight 0 carry none. Of a template that writes earlier turns differently once later
    ones follow, and does not mark its answers, only the last answer does.

    Raises
    ------
    InputError
        Naming the row, if the template refuses a conversation (for example two user turns in
        a row) or does not write a tool's call, or raw text is asked for and there is more than one
        prompt and one answer.
    """
    if chat.merges_system:
        conversations = [_merged(c) for c in conversations]
    writer = _Writer(tokenizer, chat.template or "", ways_out)
    for conversation in conversations:
        check_calls(conversation, partial(whole_text, tokenizer, chat, ways_out=ways_out))
    if chat.template is None:
        return [_encode_raw(tokenizer, conversation) for conversation in conversations]
    if chat.marked:
        return [_encode_marked(writer, c) for c in conversations]
    return [_encode_by_prefix(writer, c) for c in conversations]


def whole_text(
    tokenizer: Any, chat: ChatFormat, conversation: Conversation, *, ways_out: WaysOut = WaysOut()
) -> str:
    """The text of a whole conversation; raises InputError where the template refuses it."""
    if chat.template is None:
        return "".join(m["content"] for m in conversation.messages)
    whole = _merged(conversation) if chat.merges_system else conversation
    return _Writer(tokenizer, chat.template, ways_out).text(whole)


@dataclass(frozen=True)
class _Writer:
    """A template and who tokenizes what it writes."""

    tokenizer: Any
    template: str
    ways_out: WaysOut

    def apply(self, conversation: Conversation, **options: Any) -> Any:
        """What transformers makes of a conversation; the row is named where it is refused."""
        has_system = any(m["role"] == "system" for m in conversation.messages)
        ways = (self.ways_out.merge if has_system else "", self.ways_out.plain)
        remedy = "; or ".join(filter(None, ("Correct the order of the roles", *ways)))
        problem = f"{conversation.where}: the chat template refuses the conversation"
        messages, tools = conversation.messages, conversation.tools
        refusal = (problem, remedy)
        return apply(self.tokenizer, self.template, messages, tools, refusal=refusal, **options)

    def text(
        self, conversation: Conversation, turns: int | None = None, *, prompt: bool = False
    ) -> str:
        """The text of the first ``turns`` messages; ``prompt``: up to where the answer begins."""
        part = replace(conversation, messages=conversation.messages[:turns])
        return str(self.apply(part, tokenize=False, add_generation_prompt=prompt))


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


def _encode_raw(tokenizer: Any, conversation: Conversation) -> Encoded:
    if [m["role"] for m in conversation.messages] != ["user", "assistant"]:
        raise InputError(
            f"{conversation.where} is not one prompt and one answer, which raw text needs.",
            "Use --option chat_template=auto, or chat_template=plain.",
        )
    prompt, answer = (m["content"] for m in conversation.messages)
    text, spans = prompt + answer + tokenizer.eos_token, [(len(prompt), None)]
    return _label_spans(tokenizer, text, spans, conversation.messages[1:], special=True)


def _encode_marked(writer: _Writer, conversation: Conversation) -> Encoded:
    out = writer.apply(
        conversation, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
    )
    carries = _weighted(list(out["assistant_masks"]), conversation, writer.ways_out)
    labels = [
        token if carried else IGNORED
        for token, carried in zip(out["input_ids"], carries, strict=True)
    ]
    answers = tuple(m for m in conversation.messages if m["role"] == "assistant" and _counts(m))
    return Encoded(list(out["input_ids"]), labels, answers)


def _weighted(mask: list[int], conversation: Conversation, ways_out: WaysOut) -> list[int]:
    """The mask of the answers without those whose weight is 0."""
    answers = [m for m in conversation.messages if m["role"] == "assistant"]
    if all(_counts(m) for m in answers):
        return mask
    starts = [k for k, on in enumerate(mask) if on and not (k and mask[k - 1])]
    if len(starts) != len(answers):
        raise InputError(
            f"{conversation.where} has answers of weight 0, but its chat template does not "
            "tell its answers apart.",
            ", or ".join(filter(None, ("Leave those turns out", ways_out.plain))),
        )
    kept = list(mask)
    for start, message in zip(starts, answers, strict=True):
        place = start
        while not _counts(message) and place < len(kept) and mask[place]:
            kept[place] = 0
            place += 1
    return kept


def _counts(message: Message) -> bool:
    """Whether an answer carries loss."""
    return message.get("weight", 1) != 0


def _encode_by_prefix(writer: _Writer, conversation: Conversation) -> Encoded:
    """Find each answer as what it adds to the text of the turns before it.

    A template that writes earlier turns differently once later ones follow (say, drops their
    reasoning) gives no such prefix; then only the last answer carries loss.
    """
    turns = conversation.messages
    whole = writer.text(conversation)
    spans: list[tuple[int, int | None]] = []
    found: list[Message] = []
    answers = [i for i, m in enumerate(turns) if m["role"] == "assistant"]
    for i in answers:
        if not _counts(turns[i]):
            continue
        before = writer.text(conversation, i, prompt=True)
        after = writer.text(conversation, i + 1)
        if whole.startswith(before) and whole.startswith(after):
            spans.append((len(before), len(after)))
        elif i == answers[-1]:
            spans.append((_shared(before, whole), len(whole)))
        else:
            continue
        found.append(turns[i])
    return _label_spans(writer.tokenizer, whole, spans, found, special=False)


def _shared(a: str, b: str) -> int:
    """Length of the common prefix."""
    length = 0
    while length < min(len(a), len(b)) and a[length] == b[length]:
        length += 1
    return length


def _label_spans(
    tokenizer: Any,
    text: str,
    spans: Sequence[tuple[int, int | None]],
    answers: Sequence[Message],
    *,
    special: bool,
) -> Encoded:
    """Tokens that begin inside a span carry loss, up to the span's last special token if any."""
    out = tokenizer(text, add_special_tokens=special, return_offsets_mapping=True)
    ids, starts = list(out["input_ids"]), [start for start, _ in out["offset_mapping"]]
    widths = [end - start for start, end in out["offset_mapping"]]
    labels = [IGNORED] * len(ids)
    special_tokens = special_ids(tokenizer)
    for begin, end in spans:
        last = len(text) if end is None else end
        inside = [
            i
            for i, (s, w) in enumerate(zip(starts, widths, strict=True))
            if begin <= s < last and w
        ]
        ends = [i for i in inside if ids[i] in special_tokens]
        stop = ends[-1] if ends else (inside[-1] if inside else -1)
        for i in inside:
            if i <= stop:
                labels[i] = ids[i]
    return Encoded(ids, labels, tuple(answers))

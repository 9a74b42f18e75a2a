"""What a reasoning model thinks before it answers, taken out of its reply."""

from __future__ import annotations

import re

_OWN = "think|thinking|thoughts?"
"""Tags that models write around their thoughts by themselves."""
_ASKED = "reason|reasoning|reflection|scratchpad|analysis|rationale|deliberation|monologue|planning"
"""Tags that a judge may add, where its reply is read for a verdict."""
_MARKS = (
    r"(?P<open><(?:\w+:)?(?:{names})(?:\s[^<>]*)?>|\[THINK\]|◁think▷|<\|begin_of_thought\|>"
    r"|<\|START_THINKING\|>|<unused94>)"
    r"|(?P<close></(?:\w+:)?(?:{names})\s*>|\[/THINK\]|◁/think▷|<\|end_of_thought\|>"
    r"|<\|END_THINKING\|>|<unused95>)"
)
_THOUGHT = re.compile(_MARKS.replace("{names}", _OWN), re.IGNORECASE)
_ANY_THOUGHT = re.compile(_MARKS.replace("{names}", f"{_OWN}|{_ASKED}"), re.IGNORECASE)
_ANSWER_MARKS = re.compile(
    r"<\|(?:begin_of_solution|end_of_solution|START_RESPONSE|END_RESPONSE)\|>"
)
_CHANNEL = re.compile(
    r"<\|channel\|>\s*(?P<name>\w+)(?:[^<\n]*<\|constrain\|>[^<\n]*)?(?:[^<\n]*<\|message\|>)?"
)
_CHANNEL_END = re.compile(r"<\|(?:end|return|start|call|channel)\|>")
_BARE_CHANNEL = "assistantfinal"
"""What is left between the channels where a server drops the special tokens."""


def strip_thoughts(text: str, *, verdict: bool = False) -> str | None:
    """The reply after its thoughts; None where a thought never ends.

    Known are ``<think>`` and ``<thinking>`` whatever their prefix and attributes, the marks of
    Magistral, Kimi, Command A and OpenThinker, and channels (``<|channel|>analysis``). What stands
    before a closing mark without an opening one is a thought, too: templates often open it.

    Parameters
    ----------
    verdict
        The reply is read for a verdict: ``<reasoning>``, ``<analysis>`` and the like hold thoughts,
        too. In any other answer they may be what was asked for.
    """
    answer = _last_channel(text)
    if answer is None:
        return None
    kept: list[str] = []
    thinking, start = False, 0
    for mark in (_ANY_THOUGHT if verdict else _THOUGHT).finditer(answer):
        if not thinking:
            kept.append(answer[start : mark.start()])
        if mark["close"] and not thinking:
            kept.clear()
        thinking = mark["open"] is not None
        start = mark.end()
    if thinking:
        return None
    kept.append(answer[start:])
    return _ANSWER_MARKS.sub("", "".join(kept)).strip()


def _last_channel(text: str) -> str | None:
    """What stands in the last final channel; None: there are channels, and none is final."""
    if text.startswith("analysis") and _BARE_CHANNEL in text:
        return text.rpartition(_BARE_CHANNEL)[2]
    channels = list(_CHANNEL.finditer(text))
    if not channels:
        return text
    final = [c for c in channels if c["name"] == "final"]
    return _CHANNEL_END.split(text[final[-1].end() :], maxsplit=1)[0] if final else None

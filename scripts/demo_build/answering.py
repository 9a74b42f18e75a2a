"""Greedy answers of a demo model to many instructions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from scripts.demo_build.tokenizer import chat_text

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


SHORT, LONG = 12, 48
"""Most answers end within ``SHORT`` tokens; the rest is asked again with room for ``LONG``."""


def answer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    instructions: Sequence[str],
    batch: int = 256,
    advance: Callable[[int], None] = lambda done: None,
) -> list[str]:
    """Return the greedy answer to each instruction, cut off after ``LONG`` tokens.

    Prompts of similar length share a batch. ``advance`` is told how many answers each batch added.
    """
    answers = [""] * len(instructions)
    rows = sorted(range(len(instructions)), key=lambda row: len(instructions[row]))
    for room in (SHORT, LONG):
        unfinished = []
        for start in range(0, len(rows), batch):
            chosen = rows[start : start + batch]
            texts = [chat_text(instructions[row])[0] for row in chosen]
            for row, (text, ended) in zip(
                chosen, _generate(model, tokenizer, texts, room), strict=True
            ):
                answers[row] = text
                if not ended:
                    unfinished.append(row)
            if room == SHORT:
                advance(len(chosen))
        rows = unfinished
    return answers


def _generate(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, prompts: list[str], room: int
) -> list[tuple[str, bool]]:
    """Continue each prompt by at most ``room`` tokens; tell whether it came to an end."""
    import torch

    inputs = tokenizer(
        prompts,
        add_special_tokens=False,
        padding=True,
        return_tensors="pt",
        return_token_type_ids=False,
    ).to(model.device)
    with torch.inference_mode():
        generate: Any = model.generate
        output = generate(
            **inputs, max_new_tokens=room, do_sample=False, pad_token_id=tokenizer.pad_token_id
        )
    new = output[:, inputs["input_ids"].shape[1] :]
    ended = (new == tokenizer.eos_token_id).any(dim=1).tolist()
    texts = tokenizer.batch_decode(new, skip_special_tokens=True)
    return [(text.strip(), end) for text, end in zip(texts, ended, strict=True)]

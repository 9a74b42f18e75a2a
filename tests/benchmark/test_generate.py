"""Answers of a local model: batches, seeds, templates, and prompts that do not fit."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.lm.batches import length_batches
from crowdselect.lm.generation import (
    Answer,
    Request,
    SeededSampler,
    generate_here,
    request_seed,
)
from crowdselect.lm.template import render, template_name
from tests.finetune.conftest import WORDS


def ask(loaded: Any, requests: list[Request], **options: Any) -> dict[str, Answer]:
    answers: dict[str, Answer] = {}
    given_options = {"max_new_tokens": 8, "seed": 1, **options}
    generate_here(loaded, requests, answers.__setitem__, **given_options)
    return answers


def requests(n: int, temperature: float = 0.0) -> list[Request]:
    texts = [" ".join(WORDS[: i % 7 + 1]) for i in range(n)]
    return [
        Request(f"k{i}", ({"role": "user", "content": f"Say in reverse: {t}"},), temperature)
        for i, t in enumerate(texts)
    ]


@given(st.lists(st.integers(1, 300), max_size=60), st.integers(64, 2000), st.integers(0, 64))
def test_batches_hold_every_row_once_and_fit(lengths: list[int], room: int, extra: int) -> None:
    found = list(length_batches(lengths, room, extra))
    assert sorted(row for batch in found for row in batch) == list(range(len(lengths)))
    widths = [max(lengths[row] for row in batch) for batch in found]
    assert widths == sorted(widths, reverse=True), "longest first"
    for batch, width in zip(found, widths, strict=True):
        assert len(batch) == 1 or len(batch) * (width + extra) <= room


def test_batch_mates_do_not_change_an_answer(loaded: Any) -> None:
    asked = requests(9)
    together = ask(loaded, asked)
    assert together == {r.key: ask(loaded, [r])[r.key] for r in asked}
    assert together == ask(loaded, asked[::-1], batch_tokens=100)


def test_the_same_seed_gives_the_same_samples(loaded: Any) -> None:
    asked = requests(6, temperature=1.0)
    first = ask(loaded, asked)
    assert first == ask(loaded, asked)
    assert first == ask(loaded, asked[::-1], batch_tokens=60)
    assert first != ask(loaded, asked, seed=2)
    assert len({request_seed(r, 1) for r in asked}) == 6


def test_samples_follow_the_softmax() -> None:
    """Gumbel-max draws are distributed as softmax(logits / T)."""
    import torch

    logits = torch.tensor([[0.0, 1.0, 2.0]])
    sampler = SeededSampler([Request("k", (), 0.5)], seed=3)
    draws = [int(sampler(None, logits).argmax()) for _ in range(4000)]
    expected = torch.softmax(logits[0] / 0.5, dim=-1).numpy()
    assert np.bincount(draws, minlength=3) / 4000 == pytest.approx(expected, abs=0.025)


def test_greedy_rows_stay_greedy_beside_sampled_ones(loaded: Any) -> None:
    mixed = [*requests(3), *[replace(r, key="s" + r.key) for r in requests(3, temperature=1.0)]]
    answers = ask(loaded, mixed)
    assert {k: a for k, a in answers.items() if k[0] == "k"} == ask(loaded, requests(3))


def test_a_prompt_that_does_not_fit_is_a_problem_and_others_are_answered(loaded: Any) -> None:
    long = Request("long", ({"role": "user", "content": "red " * 600},))
    answers = ask(loaded, [long, *requests(2)])
    assert "the model takes 512" in answers["long"].problem
    assert not answers["k0"].problem


def test_an_answer_with_little_room_cuts_nobody_else_short(loaded: Any) -> None:
    asked = requests(2)
    words = 0
    tight = asked[0]
    from crowdselect.lm.template import token_ids

    while (
        loaded.context - len(token_ids(loaded.tokenizer, render(loaded.tokenizer, tight.messages)))
        > 4
    ):
        words += 1
        tight = Request("tight", ({"role": "user", "content": "red " * words},))
    answers = ask(loaded, [tight, *asked])
    assert answers["tight"].tokens <= 4
    assert {k: answers[k] for k in ("k0", "k1")} == ask(loaded, asked)


def test_the_models_own_template_is_applied(loaded: Any) -> None:
    assert template_name(loaded.tokenizer) == "model"
    text = render(loaded.tokenizer, [{"role": "user", "content": "red"}])
    assert text == "<|user|> red<|assistant|>"

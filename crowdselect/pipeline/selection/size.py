"""Budgets in characters or training tokens: how large a row is, and how many rows fit.

A row is its question with the answer that is trained on. The strategy chooses as ever, for as many
rows as fit: for the largest count, found by halving, whose rows are not larger than the budget, and
whose next larger count no longer fits. So shares of clusters and every strategy's own rule hold,
and the same recipe on the same crowd gives the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import numpy as np

from crowdselect.errors import InputError
from crowdselect.lm.calls import knows_calls, read_written, tools_of, without_tools
from crowdselect.lm.messages import assistant
from crowdselect.lm.models import Checkpoint, load_tokenizer
from crowdselect.lm.packaged import located
from crowdselect.lm.template import render, token_ids
from crowdselect.pipeline.selection.answers import Answers, answer_texts
from crowdselect.settings import Workspace
from crowdselect.store import Crowd
from crowdselect.values import IntArray, Recipe

FIRST = 64
"""Rows of the first try."""


class Sizes:
    """How large rows are in the unit of a recipe's budget; each row is measured once."""

    def __init__(self, crowd: Crowd, recipe: Recipe, answers: Answers) -> None:
        self._crowd, self._recipe, self._answers = crowd, recipe, answers
        self._known: dict[int, int] = {}

    def of(self, rows: Iterable[int]) -> int:
        """The size of all ``rows`` together."""
        wanted = [int(row) for row in rows]
        new = np.array([row for row in wanted if row not in self._known], dtype=np.int64)
        if len(new):
            columns = self._answers.columns(new, self._recipe.seed)
            texts = answer_texts(self._crowd, self._recipe, new, columns)
            self._known |= dict(zip(new.tolist(), self._measured(new, texts), strict=True))
        return sum(self._known[row] for row in wanted)

    def _measured(self, rows: IntArray, texts: list[str | None]) -> list[int]:
        if self._recipe.budget_in == "chars":
            asked = self._crowd.instruction_texts(rows)
            return [len(a) + len(t or "") for a, t in zip(asked, texts, strict=True)]
        return [
            self._tokens(prompt, text)
            for prompt, text in zip(self._crowd.prompts(rows), texts, strict=True)
        ]

    def _tokens(self, prompt: Any, text: str | None) -> int:
        """Tokens of the row as it is trained on: under the model's chat template, with its end."""
        reads = read_written if knows_calls(prompt) else assistant
        said = [] if text is None else [reads(text)]
        whole = render(
            self._tokenizer,
            (*without_tools(prompt), *said),
            complete=bool(said),
            tools=tools_of(prompt),
        )
        return len(token_ids(self._tokenizer, whole))

    @cached_property
    def _tokenizer(self) -> Any:
        cache = Workspace.holding(self._crowd.path).cache
        return load_tokenizer(Checkpoint(located(self._recipe.tokenizer, cache)))


def fitting(recipe: Recipe, sizes: Sizes, choose: Callable[[int], IntArray]) -> int:
    """How many rows fit into the recipe's budget; ``choose`` gives the rows of a count.

    Raises InputError where what is pinned alone is larger.
    """
    low = len(recipe.pins)
    if low and sizes.of(choose(low)) > recipe.budget:
        raise InputError(
            f"What is pinned alone is larger than {recipe.budget:,} {unit_words(recipe)}.",
            "Raise the budget, or pin fewer.",
        )
    high = max(FIRST, 2 * low)
    while True:
        rows = choose(high)
        if sizes.of(rows) > recipe.budget:
            break
        low = len(rows)
        if len(rows) < high:
            return low  # everything that can be chosen fits
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        fits = sizes.of(choose(middle)) <= recipe.budget
        low, high = (middle, high) if fits else (low, middle)
    return low


def unit_words(recipe: Recipe) -> str:
    """What the recipe's budget counts, in words."""
    if recipe.budget_in == "tokens":
        return f"tokens of {recipe.tokenizer}"
    return {"chars": "characters", "rows": "instructions"}[recipe.budget_in]


def size_facts(recipe: Recipe, sizes: Sizes, rows: IntArray) -> dict[str, Any]:
    """What a report tells of a budget that counts no rows."""
    return {"unit": unit_words(recipe), "budget": recipe.budget, "chosen": sizes.of(rows)}

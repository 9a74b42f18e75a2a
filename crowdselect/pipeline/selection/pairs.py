"""A selection -> pairs of a better and a worse answer, for preference methods and their export."""

from __future__ import annotations

from typing import Any

import numpy as np

from crowdselect.chosen import Selection
from crowdselect.errors import InputError
from crowdselect.finetune import PairRule, pairs_from_rewards
from crowdselect.finetune.preferences import PreferencePairs, preference_rows
from crowdselect.pipeline.selection.answers import answers_of
from crowdselect.store import Crowd
from crowdselect.values import COMBINED, IntArray, Recipe


def selected_pairs(
    crowd: Crowd, selection: Selection, rule: PairRule, called: str
) -> tuple[PreferencePairs, list[dict[str, Any]]]:
    """The pairs of a selection's rows, and as lines of a file.

    ``called``: the selection, for messages. Raises InputError where no pair comes out.
    """
    recipe = selection.recipe
    judge = rule.judge or recipe.judge
    matrix = crowd.rewards(None if judge in (None, COMBINED) else judge)
    rows = crowd.rows(selection.ids)
    answers = answers_of(crowd, "best", matrix.judge, recipe.ties)
    pairs = pairs_from_rewards(
        matrix,
        rows=rows,
        margin=rule.margin,
        worse=rule.worse,
        seed=recipe.seed,
        order=None if recipe.ties == "first" else answers.tie_order(rows, recipe.seed),
    )
    texts = preference_rows(
        pairs,
        crowd.prompts(pairs.rows),
        _preferred(crowd, pairs, recipe),
        _responses(crowd, pairs, pairs.rejected),
    )
    if not texts:
        raise InputError(
            f"No instruction of {called} has two answers that far apart ({pairs.rule}).",
            "Lower the margin, or choose another judge.",
        )
    return pairs, texts


def _preferred(crowd: Crowd, pairs: PreferencePairs, recipe: Recipe) -> list[str | None]:
    """The better answers; where a person wrote or chose one, that one."""
    column = {m.name: j for j, m in enumerate(crowd.models)}
    columns, texts = pairs.chosen.copy(), {}
    for place, identity in enumerate(crowd.ids[pairs.rows].tolist()):
        given = recipe.answers.get(identity)
        if given is not None and given.model in column:
            columns[place] = column[given.model]
        elif given is not None:
            texts[place] = given.text
    found = _responses(crowd, pairs, columns)
    return [texts.get(place, text) for place, text in enumerate(found)]


def _responses(crowd: Crowd, pairs: PreferencePairs, columns: IntArray) -> list[str | None]:
    """The answers of model ``columns[i]`` to the i-th pair's instruction."""
    wanted = np.full(crowd.n, -1, dtype=np.int64)
    wanted[pairs.rows] = columns
    found = crowd.responses_of(wanted)
    return [found[row] for row in pairs.rows]

"""What pages read about answers: what a gate, question files and ties do to a draft; cached."""

from __future__ import annotations

from typing import Any

import numpy as np

from crowdselect import pipeline
from crowdselect.dashboard.cache import cached
from crowdselect.dashboard.reads import MEASURED, has_vectors, session
from crowdselect.store import Crowd
from crowdselect.values import BoolArray, FloatArray, IntArray, Recipe


def answered(crowd: Crowd) -> bool:
    """Tell whether the crowd holds any response."""
    return bool(pipeline.answered(crowd).any())


@cached(recipe=("judge", "gate"), spinner="Grading the answers")
def best_grades(crowd: Crowd, recipe: Recipe) -> FloatArray:
    """Each row's best grade in the unit of the recipe's gate, shape (n,); NaN: it has none."""
    found = session(crowd).best_grades(recipe)
    return np.full(crowd.n, np.nan) if found is None else found


def passes_gate(crowd: Crowd, recipe: Recipe) -> BoolArray:
    """Rows with an answer that is good enough for the recipe's gate, shape (n,)."""
    return session(crowd).passes_gate(recipe)


def gate_facts(crowd: Crowd, recipe: Recipe) -> dict[str, Any]:
    """What the recipe's gate removes, by cluster (where there are any yet) and metric."""
    if not has_vectors(crowd, recipe.encoder):
        recipe = recipe.model_copy(update={"clusters": 0})
    return _gate_facts(crowd, recipe)


@cached(
    recipe=(*MEASURED, "gate", "answers", "weights", "strategy", "options", *pipeline.CLUSTERED)
)
def _gate_facts(crowd: Crowd, recipe: Recipe) -> dict[str, Any]:
    return pipeline.gate_facts(session(crowd), recipe) or {}


@cached("texts", recipe=("decontaminate",), spinner="Comparing with the questions")
def overlap_counts(crowd: Crowd, recipe: Recipe) -> list[int]:
    """How many instructions share words with each of the recipe's question files."""
    parts = [recipe.model_copy(update={"decontaminate": (k,)}) for k in recipe.decontaminate]
    return [len(pipeline.contamination_of(crowd, part).flagged) for part in parts]


def overlap_of(crowd: Crowd, recipe: Recipe, row: int) -> str:
    """The recipe's question file that shares words with an instruction; empty: none does."""
    return _overlaps(crowd, recipe).get(str(crowd.ids[row]), "")


@cached("texts", recipe=("decontaminate",))
def _overlaps(crowd: Crowd, recipe: Recipe) -> dict[str, str]:
    flagged = pipeline.contamination_of(crowd, recipe).flagged
    return {str(hit["id"]): str(hit["file"]) for hit in flagged}


def answer_warnings(crowd: Crowd, recipe: Recipe, rows: IntArray) -> tuple[str, list[str]]:
    """How many training answers of ``rows`` are tied or poor, and what to be warned of."""
    opened = session(crowd)
    columns, ties = opened.answers(recipe).chosen(rows, recipe.seed)
    told = pipeline.answer_facts(opened, recipe, rows, columns, ties)
    said = pipeline.answer_words(told)
    return f"{said}." if said else "", pipeline.answer_warnings(recipe, told)

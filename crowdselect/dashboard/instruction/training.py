"""Which answer of an instruction is trained on, and why that one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crowdselect.dashboard import reads
from crowdselect.dashboard.instruction.answers import Marked
from crowdselect.errors import CrowdSelectError
from crowdselect.store import Crowd, Instruction
from crowdselect.values import Recipe

REFERENCES = ("reference", "reference_answer", "gold", "ground_truth", "target", "expected")
"""Columns beside an instruction that hold its right answer."""


def marked(
    crowd: Crowd, recipe: Recipe, row: int, instruction: Instruction, answers: pd.DataFrame
) -> Marked:
    """What is marked among ``answers``: the one that is trained on, and the references."""
    held = {str(name).casefold(): value for name, value in instruction.extra.items()}
    references = [str(held[name]) for name in REFERENCES if held.get(name) not in (None, "")]
    try:
        column = int(reads.session(crowd).answers(recipe).columns(np.array([row]), recipe.seed)[0])
    except CrowdSelectError:  # a policy that asks for what the crowd lacks: Select says so
        return Marked(references=references)
    if column < 0:
        return Marked(references=references)
    place = int(np.flatnonzero(answers["model"] == crowd.models[column].name)[0])
    return Marked(place, f"trained on ({policy_words(recipe.answer)})", references)


def policy_words(policy: str) -> str:
    """An answer policy in words."""
    if policy.startswith("model:"):
        return f"always {policy.removeprefix('model:')}"
    return policy.replace("_", " ")

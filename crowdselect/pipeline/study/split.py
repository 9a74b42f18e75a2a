"""A crowd's own instructions as a study's questions: none of its arms may train on them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from crowdselect import files
from crowdselect.equal_texts import set_apart
from crowdselect.errors import InputError
from crowdselect.lm.messages import assistant
from crowdselect.lm.packaged import PACKAGED, located
from crowdselect.pipeline.decontamination import remember
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.pipeline.selection.answers import answer_texts, answers_of
from crowdselect.pipeline.study.plan import SPLITS, Split, StudyPlan
from crowdselect.settings import Workspace
from crowdselect.store import Crowd
from crowdselect.values import IntArray, Recipe

MODEL = "{model}"
"""Stands for the folder of the model that is trained, wherever a recipe asks for one."""
_WRITTEN = "split.json"
_TARGETS = "targets"


def write_split(workspace: Workspace, plan: StudyPlan) -> None:
    """Write the questions that ``plan`` keeps apart, as conversations with their answers.

    Raises InputError where the crowd has fewer instructions, or an answer policy finds none.
    """
    if plan.split is None:
        return
    crowd = open_crowd(workspace, plan.crowd)
    texts = crowd.instruction_texts()
    apart = set_apart(texts, plan.split.kept_apart)
    first = set_apart(texts, plan.split.development)
    if apart.all():
        raise InputError(
            f"The study {plan.name} keeps {plan.split.kept_apart:,} of {crowd.n:,} instructions "
            "apart, so none is left to train on.",
            "Lower development and test under [split].",
        )
    folder = workspace.studies / plan.name / "split"
    written = {}
    for name, mask in zip(SPLITS, (first, apart & ~first), strict=True):
        lines = _conversations(crowd, plan, plan.split, np.flatnonzero(mask))
        if mask.any():
            text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
            path = folder / f"{name}.jsonl"
            files.write_text(path, text)
            written[name] = {"questions": len(lines), "sha256": files.sha256_file(path)}
            if name == SPLITS[0]:
                remember(crowd, path)
    files.write_json(folder / _WRITTEN, written)


def placed(workspace: Workspace, plan: StudyPlan) -> StudyPlan:
    """``plan`` with ``{development}``, ``{test}`` and ``{model}`` replaced by what they stand for.

    In a benchmark the former are the files of :func:`write_split`; as ``targets`` a recipe may have
    the development questions, never those that are reported. Raises InputError where they are not
    written yet.
    """
    if plan.split is None:
        return plan
    folder = workspace.studies / plan.name / "split"
    if not (folder / _WRITTEN).exists():
        raise InputError(
            f"The study {plan.name} has not taken its questions out of the crowd {plan.crowd} yet.",
            "Run it: crowdselect study run FILE.",
        )
    written = files.read_json(folder / _WRITTEN)
    places = {f"{{{name}}}": str((folder / f"{name}.jsonl").absolute()) for name in written}
    asked = {f"{{{n}}}": str(told["sha256"]) for n, told in written.items() if n == SPLITS[0]}
    benchmarks = {name: _replaced(getattr(plan, name), places) for name in SPLITS}
    arms = tuple(
        arm.model_copy(update={"recipe": _recipe(workspace, plan, arm.recipe, asked)})
        for arm in plan.arms
    )
    return plan.model_copy(update={**benchmarks, "arms": arms})


def _recipe(
    workspace: Workspace, plan: StudyPlan, given: Mapping[str, Any], asked: Mapping[str, str]
) -> dict[str, Any]:
    model = str(plan.train.get("model", ""))
    named = json.dumps(given)
    if MODEL in named and model in PACKAGED:
        model = located(model, workspace.cache)
    found: dict[str, Any] = _replaced(dict(given), {MODEL: model})
    options = found.get("options", {})
    if _TARGETS in options:
        found["options"] = {**options, _TARGETS: _replaced(options[_TARGETS], asked)}
    return found


def _replaced(value: Any, by: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _replaced(each, by) for key, each in value.items()}
    if isinstance(value, str):
        for name, text in by.items():
            value = value.replace(name, text)
    return value


def _conversations(
    crowd: Crowd, plan: StudyPlan, split: Split, rows: IntArray
) -> list[dict[str, Any]]:
    """What was asked, and the answer that the recipe's judge likes best (or ``split.answer``)."""
    common = {k: v for k, v in plan.recipe.items() if k in ("judge", "ties")}
    recipe = Recipe.parse({"crowd": crowd.name, **common, "answer": split.answer}, "split")
    policy = answers_of(crowd, recipe.answer, recipe.judge, recipe.ties)
    columns = policy.columns(rows, recipe.seed)
    answers = answer_texts(crowd, recipe, rows, columns)
    return [
        {"id": str(crowd.ids[row]), "messages": [*prompt, assistant(answer)]}
        for row, prompt, answer in zip(rows.tolist(), crowd.prompts(rows), answers, strict=True)
        if answer
    ]

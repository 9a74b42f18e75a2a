"""Instructions of the crowd itself as examples of what a model shall do."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from crowdselect.errors import InputError
from crowdselect.lm.messages import assistant
from crowdselect.pipeline.selection.answers import answer_texts
from crowdselect.pipeline.selection.session import Session
from crowdselect.pipeline.targets import keep_target
from crowdselect.rules import QuestionFile
from crowdselect.values import IntArray, Recipe

MOST = 500
"""Rows that can be examples: more say what the crowd is, not what is wanted."""


def keep_rows(session: Session, recipe: Recipe, rows: IntArray) -> QuestionFile:
    """Keep instructions of the crowd as examples, each with the answer that ``recipe`` trains on.

    What a filter keeps can so be selected for; the recipe names the examples by content. Raises
    InputError for none, or for more than ``MOST``.
    """
    crowd = session.crowd
    if not 0 < len(rows) <= MOST:
        raise InputError(
            f"{len(rows):,} instructions are {'no' if not len(rows) else 'too many'} examples.",
            f"Filter until some 20 to {MOST} are left that are what the model shall do.",
        )
    rows = rows[np.argsort(crowd.ids[rows], kind="stable")]
    columns = session.answers(recipe).columns(rows, recipe.seed)
    answers = answer_texts(crowd, recipe, rows, columns)
    lines = [
        {"id": str(i), "messages": [*prompt, *([assistant(answer)] if answer else [])]}
        for i, prompt, answer in zip(crowd.ids[rows], crowd.prompts(rows), answers, strict=True)
    ]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
        path.write_text(text, encoding="utf-8", newline="\n")
        return keep_target(crowd, path, f"{len(rows):,} instructions of {crowd.name}")

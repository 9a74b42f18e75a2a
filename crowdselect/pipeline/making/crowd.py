"""A crowd and a model's answers -> the crowd with that model, built anew through ``ingest``."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect.ingest.names import IDS, MODELS, TEXTS
from crowdselect.lm.messages import Message
from crowdselect.pipeline.ingest import ingest, open_crowd
from crowdselect.plans import TURNS
from crowdselect.settings import Workspace
from crowdselect.store import Crowd
from crowdselect.store.rewards import list_rewards
from crowdselect.values import FloatArray

_TAKEN = frozenset((*IDS, *MODELS, *TEXTS))


@dataclass(frozen=True)
class Given:
    """The instructions that are answered."""

    ids: Sequence[str]
    texts: Sequence[str]
    extra: Mapping[str, npt.NDArray[np.generic]]
    """What is kept beside them, each of shape (n,)."""
    prompts: Sequence[tuple[Message, ...]] = ()
    """The turns of each; empty: every text is one user's turn."""


def grow_crowd(
    workspace: Workspace, name: str, given: Given, model: str, answers: Sequence[str | None]
) -> Crowd:
    """Make the crowd ``name`` of ``given``, or extend it, by a model's answers.

    ``answers`` belong to the first instructions; None: no new answer. Whatever the crowd has
    stays; only an answer that is replaced by another loses its rewards.
    """
    old = open_crowd(workspace, name) if name in workspace.crowd_names() else None
    judges = _judges(old) if old else {}
    with tempfile.TemporaryDirectory(dir=workspace.root, prefix=".tmp-grow-") as folder:
        asked, tidy = Path(folder) / "instructions.parquet", Path(folder) / "answers.parquet"
        kept = {k: v for k, v in given.extra.items() if k.lower() not in _TAKEN}
        columns = {k: pa.array(v.tolist(), from_pandas=True) for k, v in kept.items()}
        pq.write_table(
            pa.table(
                {
                    "id": list(given.ids),
                    "instruction": list(given.texts),
                    TURNS: pa.array(_turns(given), pa.string()),
                    **columns,
                }
            ),
            asked,
        )
        schema = pa.schema(
            [(c, pa.string()) for c in ("id", "model", "response")]
            + [(judge, pa.float64()) for judge in judges]
        )
        with pq.ParquetWriter(tidy, schema) as writer:
            if old is not None:
                for part in _answers(old, judges, leave_out=model):
                    writer.write_table(pa.table(part, schema=schema))
            texts, changed = _merged(given, model, answers, old)
            if old is not None and _column_of(old, model) is not None:
                for values in judges.values():
                    values[changed, _column_of(old, model)] = np.nan
            writer.write_table(pa.table(_of_model(given, model, texts, judges, old), schema=schema))
        gone = [str(old.ids[row]) for row in changed] if old is not None else []
        if old is not None:
            old.close()
        options = {"judge_columns": ",".join(judges)} if judges else {}
        crowd = ingest(
            workspace, "table", [asked, tidy], name=name, options=options, replace=old is not None
        )
    if gone:
        _forget(crowd, model, gone)
        crowd = open_crowd(workspace, name)
    return crowd


def _turns(given: Given) -> list[str | None]:
    """The turns of each question as JSON, where it is more than one text."""
    if not given.prompts:
        return [None] * len(given.ids)
    return [
        json.dumps(prompt, ensure_ascii=False) if len(prompt) > 1 else None
        for prompt in given.prompts
    ]


def _column_of(crowd: Crowd, model: str) -> int | None:
    """The column of a model; None: the crowd does not have it."""
    return next((j for j, m in enumerate(crowd.models) if m.name == model), None)


def _judges(crowd: Crowd) -> dict[str, FloatArray]:
    """Rewards that came with the crowd; those of judges added later are carried by ``ingest``."""
    files = list_rewards(crowd.path / "rewards")
    return {f.judge: crowd.rewards(f.judge).values.copy() for f in files if f.origin == "ingest"}


def _answers(
    crowd: Crowd, judges: Mapping[str, FloatArray], leave_out: str
) -> Iterator[dict[str, list[object]]]:
    """Tidy columns of every model but one, a model at a time."""
    for j, model in enumerate(crowd.models):
        if model.name == leave_out:
            continue
        responses = crowd.responses_of(np.full(crowd.n, j, dtype=np.int64))
        scored = [values[:, j] for values in judges.values()]
        rows = [
            i
            for i in range(crowd.n)
            if responses[i] is not None or any(not np.isnan(v[i]) for v in scored)
        ]
        part: dict[str, list[object]] = {
            "id": [str(crowd.ids[i]) for i in rows],
            "model": [model.name] * len(rows),
            "response": [responses[i] for i in rows],
        }
        for judge, values in judges.items():
            part[judge] = [None if np.isnan(v) else float(v) for v in values[rows, j]]
        yield part


def _merged(
    given: Given, model: str, answers: Sequence[str | None], old: Crowd | None
) -> tuple[list[str | None], list[int]]:
    """The model's answers, new before old, and the rows of ``old`` whose answer changed."""
    merged: list[str | None] = [*answers, *[None] * (len(given.ids) - len(answers))]
    column = _column_of(old, model) if old else None
    if old is None or column is None:
        return merged, []
    before = old.responses_of(np.full(old.n, column, dtype=np.int64))
    changed = []
    for place, key in enumerate(given.ids):
        row = old.row_of.get(key)
        text = None if row is None else before[row]
        if merged[place] is None:
            merged[place] = text
        elif row is not None and merged[place] != text:
            changed.append(row)
    return merged, changed


def _of_model(
    given: Given,
    model: str,
    texts: Sequence[str | None],
    judges: Mapping[str, FloatArray],
    old: Crowd | None,
) -> dict[str, list[object]]:
    """Tidy columns of the model; rewards of answers that did not change stay with them."""
    places = [i for i, text in enumerate(texts) if text is not None]
    column = _column_of(old, model) if old else None

    def reward(values: FloatArray, key: str) -> float | None:
        row = old.row_of.get(key) if old else None
        if column is None or row is None or np.isnan(values[row, column]):
            return None
        return float(values[row, column])

    return {
        "id": [given.ids[i] for i in places],
        "model": [model] * len(places),
        "response": [texts[i] for i in places],
        **{name: [reward(v, given.ids[i]) for i in places] for name, v in judges.items()},
    }


def _forget(crowd: Crowd, model: str, ids: Sequence[str]) -> None:
    """Take back the rewards that judges gave to answers that are no longer there."""
    column = _column_of(crowd, model)
    rows = crowd.rows(ids)
    for file in list_rewards(crowd.path / "rewards"):
        if file.origin == "added":
            values = crowd.rewards(file.judge).values.copy()
            values[rows, column] = np.nan
            frame = pd.DataFrame(values, columns=[m.name for m in crowd.models])
            frame.insert(0, "id", crowd.ids)
            crowd.add_judge(file.judge, frame)

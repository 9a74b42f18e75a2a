"""The crowd's own agreement as a judge: how many models gave the same answer, without a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crowdselect.errors import InputError
from crowdselect.landscape import default_encoder, embed
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.pipeline.metrics import LIKES
from crowdselect.pipeline.selection.answers import answered, texts_of
from crowdselect.pipeline.selection.gating import AGREEMENT, own_agreement
from crowdselect.progress import Progress, silent
from crowdselect.selection import alike as alike_by_vectors
from crowdselect.settings import Workspace
from crowdselect.store import Crowd
from crowdselect.values import FloatArray

_BLOCK = 512


def likes_name(model: str, form: str) -> str:
    """What a judge is called that holds the likelihoods of ``model`` in ``form``."""
    return f"{LIKES}{model}" if form == "plain" else f"{LIKES}{model}-{form.split('{')[0] or 'own'}"


def add_agreement(
    workspace: Workspace,
    crowd_name: str,
    name: str | None = None,
    *,
    alike: float | None = None,
    encoder: str | None = None,
    replace: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Add a judge to the crowd whose reward is the share of models that gave the same answer.

    Answers are the same where case, white space and a last full stop apart they are; with
    ``alike`` also where the cosine of their vectors (``encoder``; None: the usual one that reads
    single texts) is at least that. Returns what ``describe_end`` puts into a sentence.

    Raises InputError where the crowd has no responses, or a judge of this name already.
    """
    crowd = open_crowd(workspace, crowd_name)
    called = name or AGREEMENT
    if called in crowd.judges and not replace:
        raise InputError(
            f"The crowd {crowd.name} has a judge called {called!r} already.",
            "Choose another --name, or give --replace.",
        )
    if alike is None:
        values = own_agreement(crowd)
    else:
        values = _by_meaning(crowd, alike, encoder or default_encoder(), progress)
    frame = pd.DataFrame(values, columns=[m.name for m in crowd.models])
    frame.insert(0, "id", crowd.ids)
    crowd.add_judge(called, frame)
    given = int((~np.isnan(values)).sum())
    return {"crowd": crowd.name, "judge": called, "rewards": given, "missing": 0, "problems": {}}


def _by_meaning(crowd: Crowd, least: float, encoder: str, progress: Progress) -> FloatArray:
    if encoder.partition("?")[0] == "lsa":
        raise InputError(
            "Answers are compared by meaning one by one, which the encoder lsa cannot.",
            "Name another: --encoder minilm (crowdselect[embed]), or leave --alike out.",
        )
    there = answered(crowd)
    parts = []
    for first in range(0, crowd.n, _BLOCK):
        progress(first, crowd.n, "comparing answers")
        rows = np.arange(first, min(first + _BLOCK, crowd.n))
        texts = texts_of(crowd, rows, there)
        parts.append(
            alike_by_vectors(texts, len(crowd.models), lambda t: embed(list(t), encoder), least)
        )
    progress(crowd.n, crowd.n, "comparing answers")
    return np.concatenate(parts) if parts else np.zeros((0, len(crowd.models)))

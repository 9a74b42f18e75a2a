"""The pre-experienced step of a scorer: its model is trained on a few diverse samples first."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from crowdselect import files, jobs
from crowdselect.engines import Pool
from crowdselect.errors import CancelledError, InputError
from crowdselect.finetune import FinetuneConfig, create, output_model
from crowdselect.jobs import Job
from crowdselect.lm.language_model import model_spec
from crowdselect.lm.run import run_pass
from crowdselect.lm.shards import shard_folder
from crowdselect.registry import content_key
from crowdselect.scoring import IFD, InstructionPass, Sample, diverse_middle, own_order
from crowdselect.scoring.ifd import ANSWER, QUESTION
from crowdselect.values import IntArray

TRAINING: dict[str, Any] = {
    "mode": "full",
    "epochs": 1.0,
    "learning_rate": 2e-5,
    "batch_size": 128,
    "warmup": 0.0,
    "chat_template": "none",
}
"""One epoch at the Cherry paper's learning rate and batch; without warm-up, whose first step of no
learning would be all there is with few samples. The text is laid out as it is scored."""


def experienced(job: Job, scorer: IFD, samples: Sequence[Sample], pool: Pool) -> IFD:
    """Train the scorer's model on ``scorer.pre_experienced`` samples; the scorer with that model.

    The training is a run of its own. The same samples and model are trained on only once.
    Raises CancelledError when the job is cancelled, CrowdSelectError where the training fails.
    """
    spec = model_spec(scorer.models[0])
    work = InstructionPass(spec, scorer.max_tokens)
    cache = job.workspace.cache / "scoring"
    shards = shard_folder(cache, work, samples)
    run_pass(work, samples, shards, job.progress, pool)
    rows = _rows(shards.read(), own_order(samples), scorer.pre_experienced)
    if not len(rows):
        raise InputError("No instruction can be trained on.", "Score without -o pre_experienced.")
    key = content_key([shards.path.name, scorer.pre_experienced, TRAINING], 24)
    folder = job.workspace.cache / "experience" / key
    path = _training_run(job, folder, [samples[i] for i in rows], scorer.models[0]["model"])
    _follow(job, path, len(rows))
    job.event("experienced", run=path.name, samples=len(rows))
    trained = {**scorer.models[0], "model": str(output_model(path).path)}
    return dataclasses.replace(scorer, models=(trained,))


def _rows(found: Any, order: IntArray, wanted: int) -> IntArray:
    known = np.array([i for i in order if found["vector"][i] is not None], dtype=np.int64)
    if not len(known):
        return known
    vectors = np.array([found["vector"][i] for i in known], dtype=np.float64)
    losses = np.array([found["loss"][i] for i in known], dtype=np.float64)
    return np.asarray(known[diverse_middle(vectors, losses, wanted)])


def _training_run(job: Job, folder: Path, samples: Sequence[Sample], model: str) -> Path:
    """The run directory of the training: the one made earlier, if it is still there."""
    note = folder / "run.json"
    if note.exists():
        path = job.workspace.run(files.read_json(note)["run"])
        if (path / "config.json").exists():
            return path
    lines = [
        {"prompt": QUESTION.format(instruction=s.question) + ANSWER, "completion": s.response}
        for s in samples
    ]
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "data.jsonl"
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    files.write_text(data, text)
    given = {**TRAINING, "data": str(data), "model": model}
    path = create(job.workspace, FinetuneConfig.parse(given, "the pre-experienced step"))
    files.write_json(note, {"run": path.name})
    return path


def _follow(job: Job, path: Path, n: int) -> None:
    """Start the training unless it runs or is done; wait for its end; cancel it with the job."""
    state = jobs.read(path).state
    if state not in ("done", "running", "stalled"):
        jobs.start(path)
    for view in jobs.watch(path):
        try:
            job.progress(
                view.done, view.total or 1, f"training on {n:,} samples first: {path.name}"
            )
        except CancelledError:
            jobs.cancel(path, wait_s=60)
            raise
    jobs.check_done(jobs.read(path))

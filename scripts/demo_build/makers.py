"""One function per product of the build: each fills a folder from folders made before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from time import process_time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from crowdselect.files import read_json, write_json
from crowdselect.lm import models as lm
from crowdselect.lm.models import Checkpoint, LoadOptions, load_network, usual_device
from crowdselect.progress import Progress, silent
from crowdselect.tasks import Task, verify
from scripts.demo_build.answering import answer
from scripts.demo_build.base import Base
from scripts.demo_build.crowd import Member
from scripts.demo_build.judge import (
    bradley_terry,
    judge_rewards,
    preference_batches,
    preferences,
    reward_model_from,
)
from scripts.demo_build.networks import new_model
from scripts.demo_build.tasks import KINDS, make_tasks
from scripts.demo_build.tasks.lexicon import ONES, TENS
from scripts.demo_build.tokenizer import train_tokenizer
from scripts.demo_build.training import Schedule, answer_loss, course, encode, train

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

VOCABULARY = 1280
REWARD_MODEL_EPOCHS = 1
"""One pass over 18,000 tasks agrees better with the verifier than three passes over 6,000."""
Pupil = Member | Base


def pool_tasks(n: int, seed: int) -> list[Task]:
    """The crowd's instructions: a few kinds are common and many are rare, as in real pools."""
    names = list(KINDS)
    Random(f"{seed}-pool-weights").shuffle(names)
    return make_tasks(n, seed, "pool", {name: 1.0 / (rank + 5) for rank, name in enumerate(names)})


def make_tokenizer(seed: int, folder: Path) -> None:
    """Train the tokenizer on training tasks."""
    texts = [
        f" {text}"
        for task in make_tasks(8000, seed, "train")
        for text in (task.instruction, task.reference)
    ]
    rare = [f" {word}" for word in (*ONES, *TENS) for _ in range(100)]
    train_tokenizer([*texts, *rare], VOCABULARY).save_pretrained(folder)


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Read the tokenizer beside a model, or the one ``make_tokenizer`` saved."""
    tokenizer: PreTrainedTokenizerFast = lm.load_tokenizer(Checkpoint(str(folder)))
    return tokenizer


def load_model(folder: Path, kind: Literal["causal", "reward"] = "causal") -> PreTrainedModel:
    """Read a model in float32, onto a GPU where there is one."""
    network = load_network(Checkpoint(str(folder)), LoadOptions("float32"), kind)
    moved: PreTrainedModel = network.to(usual_device()).eval()
    return moved


def make_schooled(
    pupil: Pupil, tokenizer_folder: Path, seed: int, folder: Path, progress: Progress = silent
) -> None:
    """Train a model from scratch."""
    started = process_time()
    tokenizer = load_tokenizer(tokenizer_folder)
    own_seed = Random(f"{seed}-{pupil.name}").getrandbits(31)
    model = new_model(pupil.architecture, pupil.shape, tokenizer, own_seed)
    steps = _lesson_plan(pupil, pupil.schedule, tokenizer, own_seed)
    losses = _train(model, steps, pupil.schedule, progress, pupil.name)
    _save(model, tokenizer, folder, pupil.name, losses, process_time() - started)


def make_practised(
    pupil: Pupil, schooled: Path, seed: int, folder: Path, progress: Progress = silent
) -> None:
    """Train a schooled model further, on fresh texts."""
    started = process_time()
    model, tokenizer = load_model(schooled), load_tokenizer(schooled)
    own_seed = Random(f"{seed}-{pupil.name}-practice").getrandbits(31)
    steps = _lesson_plan(pupil, pupil.practice, tokenizer, own_seed)
    losses = _train(model, steps, pupil.practice, progress, pupil.name)
    before = read_json(schooled / "training.json")
    _save(model, tokenizer, folder, pupil.name, losses, process_time() - started, before)


def _lesson_plan(
    pupil: Pupil, schedule: Schedule, tokenizer: PreTrainedTokenizerFast, seed: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    texts = pupil.texts(seed, schedule.drills)
    return course(
        encode(texts.drills, tokenizer),
        encode(texts.easier, tokenizer),
        encode(texts.all, tokenizer),
        schedule,
        seed,
        tokenizer.pad_token_id,
    )


def _train(
    model: PreTrainedModel,
    steps: Iterable[tuple[torch.Tensor, torch.Tensor]],
    schedule: Schedule,
    progress: Progress,
    label: str,
    loss_of: Any = answer_loss,
) -> list[float]:
    model.to(usual_device())  # type: ignore[arg-type]
    losses = []
    for step, loss in enumerate(train(model, steps, schedule, loss_of), start=1):
        losses.append(loss)
        progress(step, schedule.steps, label)
    return losses


def _save(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    folder: Path,
    name: str,
    losses: Sequence[float],
    seconds: float,
    before: Mapping[str, Any] = MappingProxyType({"steps": 0, "cpu_seconds": 0.0}),
) -> None:
    """Save weights (bfloat16), tokenizer and a record of the training, added to ``before``."""
    import torch

    model.to(torch.bfloat16).save_pretrained(folder)  # type: ignore[arg-type]
    tokenizer.save_pretrained(folder)
    last = losses[-50:]
    record = {
        "name": name,
        "parameters": model.num_parameters(),
        "steps": before["steps"] + len(losses),
        "final_loss": sum(last) / len(last),
        "cpu_seconds": round(before["cpu_seconds"] + seconds, 1),
    }
    write_json(folder / "training.json", record)


def make_answers(
    model_folder: Path, tasks: Sequence[Task], folder: Path, progress: Progress = silent
) -> None:
    """Answer every task greedily: ``answers.parquet`` with id, response and verifier score."""
    model, tokenizer = load_model(model_folder), load_tokenizer(model_folder)
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        progress(done, len(tasks), f"answers of {model_folder.name}")

    responses = answer(model, tokenizer, [task.instruction for task in tasks], advance=advance)
    frame = pd.DataFrame(
        {
            "id": [task.id for task in tasks],
            "response": responses,
            "verifier": [verify(t, r) for t, r in zip(tasks, responses, strict=True)],
        }
    )
    frame.to_parquet(folder / "answers.parquet", index=False)


def read_answers(folder: Path) -> pd.DataFrame:
    """Read what ``make_answers`` wrote."""
    return pd.read_parquet(folder / "answers.parquet")


def make_reward_model(
    body_folder: Path,
    tasks: Sequence[Task],
    answers: Sequence[pd.DataFrame],
    seed: int,
    folder: Path,
    progress: Progress = silent,
) -> None:
    """Train the second judge on answers of the crowd, and references, to training tasks."""
    started = process_time()
    tokenizer = load_tokenizer(body_folder)
    judge = reward_model_from(load_model(body_folder), seed)
    references = [task.reference for task in tasks]
    pairs = preferences(
        [task.instruction for task in tasks],
        list(zip(references, *(frame["response"] for frame in answers), strict=True)),
        list(zip([1.0] * len(tasks), *(frame["verifier"] for frame in answers), strict=True)),
        seed,
    )
    size = 32
    schedule = Schedule(
        steps=REWARD_MODEL_EPOCHS * -(-len(pairs) // size), matrix_rate=0.003, other_rate=0.001
    )
    steps = preference_batches(pairs, tokenizer, size, seed, REWARD_MODEL_EPOCHS)
    losses = _train(judge, steps, schedule, progress, "reward model", bradley_terry)
    _save(judge, tokenizer, folder, "reward model", losses, process_time() - started)


def make_rewards(
    judge_folder: Path,
    tasks: Sequence[Task],
    answers: Sequence[pd.DataFrame],
    folder: Path,
    progress: Progress = silent,
) -> None:
    """Judge every answer: ``rewards.parquet`` with instruction, response and reward, distinct."""
    judge = load_model(judge_folder, "reward")
    pairs = pd.concat(
        [
            pd.DataFrame({"instruction": [t.instruction for t in tasks], "response": f["response"]})
            for f in answers
        ]
    ).drop_duplicates(ignore_index=True)
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        progress(done, len(pairs), "rewards")

    pairs["reward"] = judge_rewards(
        judge,
        load_tokenizer(judge_folder),
        pairs["instruction"].tolist(),
        pairs["response"].tolist(),
        advance=advance,
    )
    pairs.to_parquet(folder / "rewards.parquet", index=False)

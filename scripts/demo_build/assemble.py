"""From the build's products to the folder that is committed: tables, models, card, checksums."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from crowdselect.files import read_json, sha256_file, write_json, write_text
from crowdselect.tasks import Task
from scripts.demo_build.cache import VERSION
from scripts.demo_build.card import dataset_card
from scripts.demo_build.crowd import Member
from scripts.demo_build.makers import read_answers

KEPT_MEMBERS = ("alder-32x2", "alder-64x2", "alder-96x3")
"""Crowd models whose weights come with the data: one family, for the scores that need models."""


@dataclass(frozen=True)
class Products:
    """What the build made; ``models`` and ``answers`` are in the order of ``members``."""

    seed: int
    pool: Sequence[Task]
    heldout: Sequence[Task]
    studies: tuple[Sequence[Task], Sequence[Task]]
    """Held-out tasks for studies: development and test."""
    members: Sequence[Member]
    models: Sequence[Path]
    answers: Sequence[Path]
    judge: Path
    rewards: Path
    bases: Sequence[Path]


def assemble(products: Products, out: Path) -> None:
    """Write the data set to the empty folder ``out``."""
    crowd = out / "crowd"
    crowd.mkdir()
    columns = ["id", "instruction", "kind", "level", "reference"]
    tasks = pd.DataFrame([asdict(task) for task in products.pool])
    _write(tasks[columns], crowd / "instructions.parquet")
    responses = _responses(products)
    _write(responses, crowd / "responses.parquet")
    roll = _models(products)
    roll.to_csv(crowd / "models.csv", index=False)
    (out / "study").mkdir()
    for name, held in zip(
        ("heldout", "study/development", "study/test"),
        (products.heldout, *products.studies),
        strict=True,
    ):
        _write(pd.DataFrame([asdict(task) for task in held]), out / f"{name}.parquet")
    for folder in products.bases:
        _copy_model(folder, out / "models" / _name(folder))
    for member, folder in zip(products.members, products.models, strict=True):
        if member.name in KEPT_MEMBERS:
            _copy_model(folder, out / "models" / member.name)
    _copy_model(products.judge, out / "reward_model")
    records = [read_json(folder / "training.json") for folder in products.models]
    held_out = (len(products.heldout), *map(len, products.studies))
    card = dataset_card(products.seed, tasks, responses, held_out, products.members, records)
    write_text(out / "README.md", card)
    write_json(out / "checksums.json", checksums(out, products.seed))


def checksums(folder: Path, seed: int) -> dict[str, object]:
    """Return the build's version and seed, and the SHA-256 of every file of the data set."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "checksums.json")
    return {
        "build_version": VERSION,
        "seed": seed,
        "files": {str(path.relative_to(folder)): sha256_file(path) for path in files},
    }


def _write(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False, compression="zstd")


def _name(folder: Path) -> str:
    name: str = read_json(folder / "training.json")["name"]
    return name


def _copy_model(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("training.json"))


def _responses(products: Products) -> pd.DataFrame:
    """One row per instruction and model, instructions in the pool's order."""
    texts = [task.instruction for task in products.pool]
    parts = []
    for member, folder in zip(products.members, products.answers, strict=True):
        part = read_answers(folder).assign(model=member.name, instruction=texts)
        parts.append(part.assign(row=range(len(texts))))
    table = pd.concat(parts, ignore_index=True)
    rewards = pd.read_parquet(products.rewards / "rewards.parquet")
    table = table.merge(rewards, on=["instruction", "response"], how="left", validate="m:1")
    table = table.sort_values("row", kind="stable").rename(columns={"reward": "reward_model"})
    table["verifier"] = table["verifier"].round(6)
    table["reward_model"] = table["reward_model"].round(4)
    return table[["id", "model", "response", "verifier", "reward_model"]].reset_index(drop=True)


def _models(products: Products) -> pd.DataFrame:
    rows = []
    for member, folder in zip(products.members, products.models, strict=True):
        parameters = read_json(folder / "training.json")["parameters"]
        rows.append(
            {"model": member.name, "family": member.family, "size_b": f"{parameters / 1e9:.9f}"}
        )
    return pd.DataFrame(rows)

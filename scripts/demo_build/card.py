"""The data set card of the demo crowd: ``card.md`` with numbers computed from the data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

import pandas as pd

from crowdselect.values import Model
from scripts.demo_build.crowd import Member
from scripts.demo_build.spread import larger_is_better, spread_table


def dataset_card(
    seed: int,
    tasks: pd.DataFrame,
    responses: pd.DataFrame,
    held_out: tuple[int, ...],
    members: Sequence[Member],
    records: Sequence[dict[str, Any]],
) -> str:
    """Return the card as Markdown with a YAML header.

    ``held_out``: numbers of tasks of the benchmark, of development and of the test of studies;
    ``records``: how ``members`` were trained.
    """
    verifier = responses.pivot(index="id", columns="model", values="verifier")
    rewards = responses.pivot(index="id", columns="model", values="reward_model")
    agreement = verifier.rank(axis=1).corrwith(rewards.rank(axis=1), axis=1).mean()
    models = [
        Model(member.name, member.family, record["parameters"] / 1e9, order)
        for order, (member, record) in enumerate(zip(members, records, strict=True))
    ]
    template = Template(Path(__file__).with_name("card.md").read_text(encoding="utf-8"))
    return template.substitute(
        seed=seed,
        instructions=f"{len(tasks):,}",
        responses=f"{len(responses):,}",
        heldout=f"{held_out[0]:,}",
        development=f"{held_out[1]:,}",
        test=f"{held_out[2]:,}",
        models=len(members),
        agreement=f"{agreement:.2f}",
        n_kinds=tasks["kind"].nunique(),
        roll=_roll(members, records, verifier, rewards),
        kinds=_kinds(tasks, responses),
        spread=spread_table({"verifier": verifier, "reward_model": rewards}, models),
        larger=larger_is_better(verifier, models),
    )


def _roll(
    members: Sequence[Member],
    records: Sequence[dict[str, Any]],
    verifier: pd.DataFrame,
    rewards: pd.DataFrame,
) -> str:
    head = "model | architecture | parameters | tasks taught | levels | steps | verifier"
    lines = [
        f"| {head} | exactly right | reward model |",
        "|---|---|---:|---:|---|---:|---:|---:|---:|",
    ]
    for member, record in zip(members, records, strict=True):
        scores = verifier[member.name]
        levels = member.mixture.levels
        lines.append(
            f"| {member.name} | {member.architecture} | {record['parameters']:,} "
            f"| {member.mixture.examples:,} | {levels[0]} to {levels[-1]} | {record['steps']:,} "
            f"| {scores.mean():.3f} | {(scores == 1).mean():.1%} "
            f"| {rewards[member.name].mean():+.2f} |"
        )
    return "\n".join(lines)


def _kinds(tasks: pd.DataFrame, responses: pd.DataFrame) -> str:
    scored = responses.merge(tasks[["id", "kind"]], on="id")
    best = scored.groupby(["kind", "id"], sort=False)["verifier"].max().groupby("kind").mean()
    means = scored.groupby("kind")["verifier"].mean()
    table = pd.DataFrame({"n": tasks["kind"].value_counts(), "average": means, "best": best})
    lines = ["| kind | instructions | mean verifier | best answer |", "|---|---:|---:|---:|"]
    for row in table.sort_values("n", ascending=False).itertuples():
        lines.append(f"| {row.Index} | {row.n} | {row.average:.2f} | {row.best:.2f} |")
    return "\n".join(lines)

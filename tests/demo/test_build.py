"""A miniature built from scratch by the real build, and the committed data it must look like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from rich.progress import Progress as Bars

from crowdselect.files import read_json
from crowdselect.metrics import METRICS, MetricInputs
from crowdselect.settings import demo_data
from crowdselect.tasks import load_heldout, verify
from crowdselect.values import Model, RewardMatrix
from scripts.demo_build import makers
from scripts.demo_build.assemble import KEPT_MEMBERS, checksums
from scripts.demo_build.base import bases
from scripts.demo_build.build import Workshop, build
from scripts.demo_build.cache import VERSION, Cache
from scripts.demo_build.crowd import members
from scripts.demo_build.tasks import KINDS, split_of
from tests.demo.conftest import MINIATURE

pytestmark = pytest.mark.xdist_group("miniature")  # built once, not once per worker


@pytest.fixture(scope="session")
def committed() -> Path:
    return demo_data()


@pytest.fixture(scope="session", params=["miniature", "committed"])
def data_set(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


HELD_OUT = ("heldout.parquet", "study/development.parquet", "study/test.parquet")
TABLES = ("crowd/instructions.parquet", "crowd/responses.parquet", *HELD_OUT)


@pytest.mark.parametrize("table", TABLES)
def test_a_rebuilt_miniature_has_the_schema_of_the_committed_data(
    miniature: Path, committed: Path, table: str
) -> None:
    assert pq.read_schema(miniature / table).equals(pq.read_schema(committed / table))


def test_a_rebuilt_miniature_has_the_same_kinds_of_files(miniature: Path, committed: Path) -> None:
    def files(folder: Path) -> set[str]:
        return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}

    assert files(miniature) == files(committed)


def test_the_checksums_cover_every_file_and_name_the_version_of_the_build(data_set: Path) -> None:
    recorded = read_json(data_set / "checksums.json")
    assert recorded == checksums(data_set, recorded["seed"])
    assert recorded["build_version"] == VERSION


def test_every_model_answered_every_instruction_and_both_judges_judged_it(data_set: Path) -> None:
    tasks = pd.read_parquet(data_set / "crowd" / "instructions.parquet")
    answers = pd.read_parquet(data_set / "crowd" / "responses.parquet")
    models = pd.read_csv(data_set / "crowd" / "models.csv")
    assert tasks["id"].is_unique
    assert tasks["instruction"].is_unique
    assert list(models["model"]) == [member.name for member in members()]
    assert models["family"].nunique() == 6
    assert (models["size_b"] > 0).all()
    assert (
        len(answers) == len(tasks) * len(models) == len(answers[["id", "model"]].drop_duplicates())
    )
    assert answers[["verifier", "reward_model"]].notna().all(axis=None)
    assert answers["verifier"].between(0, 1).all()


def test_the_verifier_column_is_what_the_verifier_says(data_set: Path) -> None:
    tasks = pd.read_parquet(data_set / "crowd" / "instructions.parquet").set_index("id")
    answers = pd.read_parquet(data_set / "crowd" / "responses.parquet").sample(200, random_state=1)
    for row in answers.itertuples():
        known = tasks.loc[row.id]
        task = makers.Task(
            row.id, known.kind, known.level, known.instruction, known.reference,
            KINDS[known.kind].verifier,
        )  # fmt: skip
        assert verify(task, row.response) == pytest.approx(row.verifier, abs=1e-6)


def test_crowd_and_benchmark_share_no_instruction(data_set: Path) -> None:
    pool = pd.read_parquet(data_set / "crowd" / "instructions.parquet")["instruction"]
    heldout = [t.instruction for name in HELD_OUT for t in load_heldout(data_set / name)]
    assert len(set(heldout)) == len(heldout)
    assert not set(pool) & set(heldout)
    assert {split_of(text) for text in pool} == {"pool"}
    assert {split_of(text) for text in heldout} == {"heldout"}


@pytest.mark.parametrize("name", [*KEPT_MEMBERS, *(base.name for base in bases())])
def test_the_models_that_come_along_load_and_answer(committed: Path, name: str) -> None:
    folder = committed / "models" / name
    tokenizer = makers.load_tokenizer(folder)
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is 2 plus 3?"}],
        tokenize=False,
        add_generation_prompt=True,
    )
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert (folder / "model.safetensors").stat().st_size <= 3_000_000
    if name in KEPT_MEMBERS:
        answers = pd.read_parquet(committed / "crowd" / "responses.parquet")
        own = answers[answers["model"] == name].head(8).set_index("id")["response"]
        tasks = pd.read_parquet(committed / "crowd" / "instructions.parquet").set_index("id")
        asked = tasks.loc[own.index, "instruction"].tolist()
        again = makers.answer(makers.load_model(folder), tokenizer, asked)
        assert sum(a == b for a, b in zip(again, own, strict=True)) >= 7


def test_the_committed_crowd_is_as_large_as_promised(committed: Path) -> None:
    assert len(pd.read_parquet(committed / "crowd" / "instructions.parquet")) >= 4000
    assert len(load_heldout(committed / "heldout.parquet")) >= 1000
    assert sum(p.stat().st_size for p in committed.rglob("*") if p.is_file()) <= 40_000_000


def test_in_the_committed_crowd_larger_models_are_usually_not_always_better(
    committed: Path,
) -> None:
    answers = pd.read_parquet(committed / "crowd" / "responses.parquet")
    models = pd.read_csv(committed / "crowd" / "models.csv").assign(
        mean=lambda known: known["model"].map(answers.groupby("model")["verifier"].mean())
    )
    steps = models.sort_values("size_b").groupby("family")["mean"].diff().dropna()
    assert 0.75 <= (steps > 0).mean() < 1.0


@pytest.mark.parametrize("metric", ["difficulty", "separability", "stability"])
def test_the_metrics_of_the_committed_crowd_spread(committed: Path, metric: str) -> None:
    answers = pd.read_parquet(committed / "crowd" / "responses.parquet")
    known = pd.read_csv(committed / "crowd" / "models.csv")
    matrix = answers.pivot(index="id", columns="model", values="verifier")[known["model"]]
    models = tuple(
        Model(row.model, row.family, row.size_b, order)
        for order, row in enumerate(known.itertuples())
    )
    rewards = RewardMatrix("verifier", matrix.index.to_numpy(object), models, matrix.to_numpy())
    scores = METRICS[metric]()(MetricInputs(rewards=rewards))
    low, middle, high = np.nanquantile(scores, [0.1, 0.5, 0.9])
    assert low < middle < high
    if metric == "stability":
        assert middle > 0


def test_an_interrupted_build_goes_on_where_it_stopped(
    miniature: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("made again although it is in the cache")

    for stage in ("make_tokenizer", "make_schooled", "make_practised", "make_answers"):
        monkeypatch.setattr(makers, stage, never)
    with Bars(disable=True) as bars:
        build(MINIATURE, tmp_path / "again", Cache(miniature.parent / "cache"), Workshop(bars, 1))
    again, first = (read_json(f / "checksums.json") for f in (tmp_path / "again", miniature))
    assert again == first

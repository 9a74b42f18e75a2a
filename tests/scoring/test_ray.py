"""Two Ray workers: what one process finds, also with a killed worker, head, or a stopped run."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from crowdselect.engines import HERE, Pool, spread
from crowdselect.errors import NotFoundError
from crowdselect.landscape import embed
from crowdselect.lm.messages import user
from crowdselect.lm.models import check_folder
from crowdselect.making import (
    Answerer,
    GenerateConfig,
    JudgingConfig,
    judge_blocks,
    kept_answers,
    make_answers,
)
from crowdselect.progress import silent
from crowdselect.scoring import IFD, Column, Pass, Sample, Scorer, score
from tests.local_ray import local_ray

pytestmark = [
    pytest.mark.slow,
    # What Ray says about its own settings is not ours to change.
    pytest.mark.filterwarnings("ignore:.use_:DeprecationWarning:ray"),
    pytest.mark.filterwarnings("error:.ray_remote_args"),
]
pytest.importorskip("ray", reason="the extra scale (ray) is not installed")


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """Two worker slots on this machine."""
    with local_ray(2):
        yield


TWO = Pool("ray", workers=2)


@dataclass(frozen=True)
class FragilePass(Pass):
    """Writes lengths; the first worker that meets ``mark`` unset kills its own process."""

    mark: str

    @property
    def label(self) -> str:
        return "fragile"

    def worker(self, keep: Path):
        def work(samples):
            mark = Path(self.mark)
            if samples[0].id == "s8" and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return {"length": [len(s.response) for s in samples]}

        return work


@dataclass(frozen=True)
class Fragile(Scorer):
    """Length of the response, by a pass that dies once."""

    name = "fragile"
    title = "fragile"
    source = "this test"
    mark: str

    def passes(self):
        return (FragilePass(self.mark),)

    def columns(self, samples, found):
        values = np.array(found[self.passes()[0].key]["length"], dtype=np.float64)
        return {"fragile": Column(values, [None] * len(samples), "", "higher = longer")}


def test_two_workers_equal_one_process_and_resume(small_model, samples, tmp_path):
    scorer = IFD(models=({"model": str(small_model), "batch_tokens": 300},), keep_harmful=True)
    alone = score(samples, scorer, tmp_path / "alone", shard_rows=6)
    (folder,) = [p for p in (tmp_path / "alone").iterdir() if p.is_dir()]
    # As if an earlier run had been interrupted after two of four shards.
    target = tmp_path / "ray" / folder.name
    target.mkdir(parents=True)
    for shard in ("000000", "000002"):
        (target / f"{shard}.parquet").write_bytes((folder / f"{shard}.parquet").read_bytes())
    before = {p.name: p.stat().st_mtime_ns for p in target.iterdir()}
    seen: list[int] = []
    two = score(
        samples,
        scorer,
        tmp_path / "ray",
        lambda done, total, label: seen.append(done),
        pool=TWO,
        shard_rows=6,
    )
    assert seen[0] == 12
    assert seen[-1] == len(samples)
    assert {p.name: p.stat().st_mtime_ns for p in target.iterdir() if p.name in before} == before
    assert two.frame().equals(alone.frame())


def test_answers_rewards_and_vectors_are_those_of_one_process(small_model, reward_model, tmp_path):
    prompts = [(user(f"Name {i} rivers." + " And why?" * (i % 3)),) for i in range(10)]
    who = Answerer(name="small", model=str(small_model))
    found = {}
    for pool in (HERE, Pool("ray", workers=1)):
        keep = tmp_path / pool.engine
        where = {"engine": pool.engine, "workers": pool.workers}
        config = GenerateConfig(
            source="x", name="x", answerers=(who,), max_new_tokens=6, temperature=0.5, **where
        )
        make_answers(config, who, prompts, keep, silent, "small")
        texts = [a["text"] for a in kept_answers(config, who, prompts, keep)]
        asked = [Sample(f"s{i}", p[0]["content"], texts[i]) for i, p in enumerate(prompts)]
        values = np.full((10, 1), np.nan)
        judge = JudgingConfig(crowd="x", name="r", model=str(reward_model), **where)
        blocks = [(asked, [(i, 0) for i in range(10)])]
        judge_blocks(judge, blocks, values, keep, silent, total=10, publish=lambda _: None)
        found[pool.engine] = (texts, values, embed(texts, "static", keep, pool=pool))
    assert found["ray"][0] == found["local"][0]
    assert np.isfinite(found["local"][1]).all()
    for there, here in zip(found["ray"][1:], found["local"][1:], strict=True):
        np.testing.assert_allclose(there, here, atol=1e-5)


def test_what_a_worker_says_is_said(tmp_path):
    with pytest.raises(NotFoundError, match=r"no model folder \./nowhere"):
        list(spread(partial(check_folder, "./nowhere"), [1, 2], TWO))


def test_a_killed_driver_costs_what_was_in_flight(tmp_path):
    """Another driver on the same cluster dies in the middle; what it had is not made again."""
    import ray

    code = f"""
import os, signal
from tests.scoring.test_ray import *
def report(done, total, label=""):
    if done >= 8:
        os.kill(os.getpid(), signal.SIGKILL)
ray_score({str(tmp_path)!r}, report)
"""
    env = {**os.environ, "RAY_ADDRESS": ray.get_runtime_context().gcs_address}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, env=env)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
    (folder,) = (p for p in (tmp_path / "cache").iterdir() if p.is_dir())
    kept = {p.name: p.stat().st_mtime_ns for p in folder.glob("[!.]*.parquet")}
    assert 2 <= len(kept) < 4
    table = ray_score(tmp_path)
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir() if p.name in kept} == kept
    assert table.columns["fragile"].values.tolist() == list(range(16))


def ray_score(folder, progress=silent):
    """Lengths of sixteen answers in four shards; nobody is killed."""
    samples = [Sample(f"s{i}", "Count.", "x" * i) for i in range(16)]
    scorer = Fragile(str(Path(folder) / "mark"))
    Path(scorer.mark).touch()
    return score(samples, scorer, Path(folder) / "cache", progress, pool=TWO, shard_rows=4)


def test_a_killed_worker_is_replaced(tmp_path):
    samples = [Sample(f"s{i}", "Count.", "x" * i) for i in range(16)]
    mark = tmp_path / "mark"
    table = score(samples, Fragile(str(mark)), tmp_path / "cache", pool=TWO, shard_rows=4)
    assert mark.exists(), "nobody was killed"
    assert table.columns["fragile"].values.tolist() == list(range(16))

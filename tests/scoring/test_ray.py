"""Two Ray workers: the same numbers as one process, a killed worker, an interrupted run."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from crowdselect.scoring import IFD, Column, Pass, Sample, Scorer, score

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
    import ray

    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=80_000_000,
        configure_logging=False,
    )
    yield
    ray.shutdown()


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
        import numpy as np

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
        engine="ray",
        workers=2,
        shard_rows=6,
    )
    assert seen[0] == 12
    assert seen[-1] == len(samples)
    assert {p.name: p.stat().st_mtime_ns for p in target.iterdir() if p.name in before} == before
    assert two.frame().equals(alone.frame())


def test_a_killed_worker_is_replaced(tmp_path):
    samples = [Sample(f"s{i}", "Count.", "x" * i) for i in range(16)]
    mark = tmp_path / "mark"
    table = score(
        samples, Fragile(str(mark)), tmp_path / "cache", engine="ray", workers=2, shard_rows=4
    )
    assert mark.exists(), "nobody was killed"
    assert table.columns["fragile"].values.tolist() == list(range(16))

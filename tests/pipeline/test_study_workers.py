"""Who makes a study's cells: one GPU per worker, and a pool of Ray's with the same results."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crowdselect import jobs
from crowdselect.pipeline.study import StudyPlan, create, find_study, read_study
from crowdselect.pipeline.study.team import device_of
from crowdselect.settings import Workspace
from tests.finetune.conftest import base_model, tokenizer
from tests.local_ray import local_ray
from tests.pipeline.test_study import ARMS, plan

__all__ = ["base_model", "plan", "tokenizer"]


@pytest.mark.parametrize(
    ("count", "visible", "given"),
    [
        (0, None, [None, None, None]),
        (1, "3", [None, None, None]),
        (2, None, ["0", "1", "0"]),
        (2, "5, 7", ["5", "7", "5"]),
        (3, "GPU-a,GPU-b,GPU-c", ["GPU-a", "GPU-b", "GPU-c"]),
    ],
)
def test_workers_go_round_the_gpus_that_were_given(
    count: int, visible: str | None, given: list[str | None]
) -> None:
    assert [device_of(number, count, visible) for number in range(3)] == given


@pytest.fixture
def cluster() -> Iterator[None]:
    """A worker slot on this machine: each actor takes seconds to load what it trains with."""
    pytest.importorskip("ray", reason="the extra scale (ray) is not installed")
    with local_ray(1):
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
# What Ray says about its own settings is not ours to change.
@pytest.mark.filterwarnings("ignore:.use_:DeprecationWarning:ray")
def test_a_pool_of_rays_finds_what_one_process_finds(
    ready: Workspace, plan: Callable[..., StudyPlan]
) -> None:
    def found(name: str, **how: Any) -> Any:
        made = plan(name=name, seeds=1, arms=ARMS[:2])
        assert jobs.run_here(create(ready, made, **how)) == "done"
        result = read_study(find_study(ready, name), "development")
        assert result.complete
        return [(row.label, row.interval, row.steps) for row in result.rows]

    alone = found("alone", workers=0)
    assert found("pool", workers=1, engine="ray") == alone


def test_a_folder_that_a_machine_does_not_see_is_said(ready: Workspace, plan: Any) -> None:
    from crowdselect.pipeline.study.team import _maker

    made = plan()
    study = jobs.read(create(ready, made, workers=0))
    elsewhere: Path = ready.root.with_name("elsewhere")
    problem = _maker(elsewhere, study.config["plan"])((None, "development"))  # type: ignore[arg-type]
    assert problem is not None
    assert "does not see" in problem[0]
    assert "disk that all machines" in problem[1]

"""What stops a run, and that it goes on exactly as if nothing had stopped it."""

import time

import pytest

from crowdselect import files, jobs
from crowdselect.errors import CrowdSelectError
from crowdselect.finetune import FinetuneConfig, create, output_model, read_run
from crowdselect.finetune.checkpoints import MARKER, last_checkpoint
from tests.crowds import write_jsonl

from .conftest import chat, finish, stop_and_read_state


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, base_model, data_file):
    """A run of 40 steps from beginning to end, and its options."""
    from crowdselect.settings import open_workspace

    config = FinetuneConfig(
        data=str(data_file),
        model=str(base_model),
        preset="demo",
        max_steps=40,
        save_steps=10,
        log_steps=1,
        burst_steps=0,
        keep_checkpoints=2,
    )
    path = finish(open_workspace(tmp_path_factory.mktemp("whole")), config)
    return config, read_run(path)


def losses(view):
    return {point.step: point.loss for point in view.curve}


def test_cancel_leaves_a_usable_checkpoint_and_resume_gives_the_same_losses(
    workspace, uninterrupted
):
    from transformers import AutoModelForCausalLM

    config, whole = uninterrupted
    path = create(workspace, config)
    assert stop_and_read_state(path, 13) == "cancelled"
    stopped = output_model(path)
    assert not stopped.final
    reached = files.read_json(stopped.path / MARKER)
    assert 13 <= reached["step"] < 40
    assert reached["tokens"] == {p.step: p.tokens for p in whole.curve}[reached["step"]]
    AutoModelForCausalLM.from_pretrained(stopped.path)
    (path / "checkpoints" / "checkpoint-39").mkdir()  # a crash while saving leaves no marker
    assert jobs.run_here(path) == "done"
    resumed = read_run(path)
    assert losses(resumed) == losses(whole)
    assert resumed.curve[-1].tokens == whole.curve[-1].tokens
    assert resumed.final_loss == whole.final_loss


def test_a_kill_is_seen_and_the_run_goes_on_from_its_checkpoint(workspace, uninterrupted):
    import os
    import signal

    config, whole = uninterrupted
    path = create(workspace, config.model_copy(update={"max_steps": 40}))
    pid = jobs.start(path)
    while not (path / "checkpoints" / "checkpoint-10" / MARKER).exists():
        view = read_run(path)
        assert view.state == "running", view.error
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    killed = read_run(path)
    assert killed.state == "failed"
    assert "without a word" in killed.error[0]
    assert jobs.run_here(path) == "done"
    assert losses(read_run(path)) == losses(whole)


def test_a_resume_on_the_demo_base_model_gives_the_same_final_loss(workspace, settings):
    from crowdselect.settings import demo_data

    try:
        found = sorted((demo_data() / "models").glob("base-*/config.json"))
    except CrowdSelectError as absent:
        pytest.skip(absent.problem)
    if not found:
        pytest.skip("the demo crowd brings no base model")
    options = settings(model=str(found[0].parent), max_steps=16, save_steps=4, log_steps=1)
    whole = read_run(finish(workspace, options))
    path = create(workspace, options)
    assert stop_and_read_state(path, 6) == "cancelled"
    assert jobs.run_here(path) == "done"
    again = read_run(path)
    assert (again.curve[-1].loss, again.final_loss) == (whole.curve[-1].loss, whole.final_loss)
    assert losses(again) == losses(whole)


def test_changed_data_stops_a_resume(workspace, settings, tmp_path):
    data = write_jsonl(tmp_path / "d.jsonl", [{"messages": chat(i)} for i in range(16)])
    path = create(workspace, settings(data=str(data)))
    write_jsonl(data, [{"messages": chat(i)} for i in range(15)])
    assert jobs.run_here(path) == "failed"
    assert "has changed" in read_run(path).error[0]


def test_a_resume_takes_back_what_came_after_its_checkpoint(workspace, settings):
    path = create(workspace, settings())
    names = ("learning_rate", "tokens", "tokens_per_s", "mfu", "memory", "epoch")
    log = jobs.Job(path)
    for event, step, loss in (
        *[("resume", 0, 0), ("log", 1, 3.0), ("log", 2, 2.5), ("log", 3, 2.4), ("eval", 3, 9.0)],
        *[("resume", 1, 0), ("log", 2, 2.6), ("eval", 2, 8.0)],
    ):
        log.event(event, step=step, loss=loss, **dict.fromkeys(names, 0))
    with (path / "events.jsonl").open("a") as file:
        file.write('{"event": "log", "step": 4, "lo')  # a crash while writing
    view = read_run(path)
    assert [(p.step, p.loss) for p in view.curve] == [(1, 3.0), (2, 2.6)]
    assert view.eval_curve == ((2, 8.0),)


def test_the_mean_loss_weighs_every_step_alike():
    from crowdselect.finetune.train import mean_loss

    log = [{"step": 2, "loss": 4.0}, {"step": 2, "eval_loss": 9.0}, {"step": 3, "loss": 1.0}]
    assert mean_loss(log) == pytest.approx((4.0 * 2 + 1.0) / 3)


def test_nothing_incomplete_counts_as_a_checkpoint(tmp_path):
    for step, whole in ((5, True), (10, True), (15, False)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if whole:
            files.write_json(folder / MARKER, {"step": step, "tokens": step})
    assert last_checkpoint(tmp_path).name == "checkpoint-10"


def test_batches_hold_like_lengths_in_an_order_that_follows_seed_and_epoch():
    import numpy as np

    from crowdselect.finetune.order import RowOrder

    lengths = np.random.default_rng(0).integers(5, 500, 203).tolist()
    order = RowOrder(lengths, 8, seed=1)
    first = list(order)
    assert sorted(first) == list(range(203))
    assert list(order) == first
    assert max(lengths) in [lengths[i] for i in first[:8]]
    batches = [first[i : i + 8] for i in range(0, 203, 8)]
    spread = np.mean([np.ptp([lengths[i] for i in batch]) for batch in batches])
    assert spread < 0.5 * np.ptp(lengths)
    means = [np.mean([lengths[i] for i in batch]) for batch in batches[1:-1]]
    assert not np.all(np.diff(means) <= 0)  # not from long to short
    order.set_epoch(1)
    assert list(order) != first
    assert list(RowOrder(lengths, 8, seed=2)) != first


@pytest.mark.parametrize("grouped", [True, False])
def test_a_short_last_step_is_filled_with_the_silent_row(grouped):
    from crowdselect.finetune.order import RowOrder

    order = RowOrder(list(range(5, 18)), 4, seed=1, grouped=grouped, multiple=6)
    rows = list(order)
    assert len(rows) == len(order) == 18
    assert sorted(rows[:13]) == list(range(13))
    assert rows[13:] == [13] * 5  # a row that the data set does not have: it carries no loss
    assert len(RowOrder([1] * 12, 4, seed=1, multiple=6)) == 12

"""Real runs of a tiny pretrained model: what is trained on, what stops, goes on and is saved."""

import json
import threading
import time

import pytest

from crowdselect import files, jobs
from crowdselect.errors import CrowdSelectError
from crowdselect.finetune import FinetuneConfig, create, estimate, output_model, read_run
from crowdselect.finetune.checkpoints import MARKER, last_checkpoint

from .conftest import chat, write_jsonl


@pytest.fixture
def settings(base_model, data_file):
    """Options of a short full fine-tune."""

    def make(**options):
        base = {"data": str(data_file), "model": str(base_model), "preset": "demo"}
        return FinetuneConfig(**{**base, "max_steps": 12, "burst_steps": 0, **options})

    return make


def finish(workspace, config):
    """Run in this process; the run must be done."""
    path = create(workspace, config)
    assert jobs.run_here(path) == "done", read_run(path).error
    return path


def trainer_of(config, tmp_path):
    from transformers import TrainerCallback

    from crowdselect.finetune.plan import make_plan
    from crowdselect.finetune.trainer import build_trainer

    plan, prepared = make_plan(config)
    return build_trainer(plan, prepared, tmp_path, TrainerCallback())


@pytest.mark.parametrize("batching", ["padded", "padding-free", "packing"])
def test_the_labels_of_a_batch_are_the_answers_and_nothing_else(
    settings, tokenizer, tmp_path, batching
):
    trainer = trainer_of(settings(batching=batching, max_length=64, batch_size=8), tmp_path)
    answers = []
    for batch in trainer.get_train_dataloader():
        assert ((batch["labels"] == -100) | (batch["labels"] == batch["input_ids"])).all()
        kept = batch["labels"][batch["labels"] != -100]
        answers += tokenizer.decode(kept).split("<|end|>")[:-1]
    expected = [
        " " + m["content"]
        for i in range(96)
        for m in chat(i, 2 if i % 8 == 0 else 1)
        if m["role"] == "assistant"
    ]
    assert sorted(answers) == sorted(expected)


@pytest.mark.parametrize("batching", ["padding-free", "packing"])
def test_no_example_attends_to_another(settings, tmp_path, batching):
    """Each example's logits in a shared batch equal those it has alone."""
    import torch

    trainer = trainer_of(settings(batching=batching, max_length=64, batch_size=4), tmp_path)
    model = trainer.model.eval()
    batch = next(iter(trainer.get_train_dataloader()))
    inputs = {k: v for k, v in batch.items() if k != "labels"}
    starts = (batch["position_ids"][0] == 0).nonzero().flatten().tolist()
    ends = [*starts[1:], batch["input_ids"].shape[1]]
    assert len(starts) > 3
    with torch.no_grad():
        together = model(**inputs, use_cache=False).logits[0]
        careless = model(input_ids=batch["input_ids"]).logits[0]
        for start, end in zip(starts, ends, strict=True):
            alone = model(input_ids=batch["input_ids"][:, start:end]).logits[0]
            torch.testing.assert_close(together[start:end], alone, atol=1e-4, rtol=1e-3)
        assert (careless[starts[1] : ends[1]] - together[starts[1] : ends[1]]).abs().max() > 0.01


def test_a_run_learns_and_records_everything(workspace, settings, data_file, base_model):
    from transformers import AutoModelForCausalLM

    known = {"recipe": {"id": "abc123", "strategy": "crowdselect"}, "selection": "abc123"}
    options = settings(eval_share=0.1, report_to=("tensorboard",), burst_steps=2, **known)
    path = finish(workspace, options)
    view = read_run(path)
    assert view.state == "done"
    assert (view.step, view.max_steps) == (12, 12)
    assert [p.step for p in view.curve] == list(range(1, 13))
    assert view.curve[-1].loss < view.curve[0].loss
    assert view.final_loss == pytest.approx(sum(p.loss for p in view.curve) / 12, rel=1e-3)
    assert view.curve[-1].tokens_per_s > 0
    assert view.curve[-1].memory > 10**7
    assert view.mfu is None  # a CPU's peak is not known
    assert len(view.eval_curve) == 6
    assert view.eval_curve[-1][1] < view.eval_curve[0][1]
    assert view.provenance["data_sha256"] == files.sha256_file(data_file)
    assert {"torch", "trl", "transformers", "peft"} <= set(view.provenance["versions"])
    assert view.provenance["seed"] == 42
    assert view.config == FinetuneConfig.parse(
        files.read_json(path / "config.json")["config"], "config"
    )
    assert view.estimate["basis"] == "measured"
    assert view.estimate["steps"] == 12
    assert view.data["kept"] == 96
    model = output_model(path)
    assert (model.adapter, model.final) == (False, True)
    names = {p.name for p in model.path.iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "README.md"} <= names
    assert not any(name.endswith((".bin", ".pt")) for name in names)
    trained = AutoModelForCausalLM.from_pretrained(model.path)
    base = AutoModelForCausalLM.from_pretrained(base_model)
    assert (trained.lm_head.weight - base.lm_head.weight).abs().max() > 0
    card = (model.path / "README.md").read_text()
    for fact in (view.provenance["data_sha256"], "train.jsonl", "96", "abc123", path.name, "0.001"):
        assert fact in card
    assert list((path / "trackers").rglob("events.out.*"))


def test_lora_variants_train_reload_exactly_and_merge(workspace, settings, base_model, tokenizer):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    ids = torch.tensor([tokenizer("Say in reverse: red blue")["input_ids"]])
    path = finish(
        workspace,
        settings(mode="lora", lora_rank=4, rslora=True, dora=True, merge=True, max_steps=6),
    )
    model = output_model(path)
    assert model.adapter
    assert model.base == str(base_model)
    saved = json.loads((model.path / "adapter_config.json").read_text())
    assert (saved["r"], saved["use_rslora"], saved["use_dora"]) == (4, True, True)
    assert (model.path / "adapter_model.safetensors").exists()
    base = AutoModelForCausalLM.from_pretrained(base_model).eval()
    with torch.no_grad():
        before = base(ids).logits
        adapted = PeftModel.from_pretrained(base, model.path).eval()(ids).logits
        merged = AutoModelForCausalLM.from_pretrained(path / "merged").eval()(ids).logits
    assert (adapted - before).abs().max() > 1e-4
    torch.testing.assert_close(merged, adapted, atol=1e-4, rtol=1e-3)


def test_packing_trains_its_epochs_on_fewer_fuller_rows(workspace, settings):
    options = settings(batching="packing", max_length=64, batch_size=4, max_steps=None, epochs=2.0)
    view = read_run(finish(workspace, options))
    assert view.curve[-1].epoch == pytest.approx(2.0)
    assert view.curve[-1].tokens == 2 * view.data["tokens"]
    assert view.step < 2 * 96 / 4 / 2


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


def stop_and_read_state(path, step):
    """Run in this process; cancel from another thread once ``step`` is logged."""

    def stop():
        while not any(p.step >= step for p in read_run(path).curve):
            time.sleep(0.01)
        jobs.cancel(path)

    thread = threading.Thread(target=stop)
    thread.start()
    state = jobs.run_here(path)
    thread.join()
    return state


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


def test_a_kill_is_seen_and_the_run_goes_on_from_its_checkpoint(workspace, uninterrupted):
    import os
    import signal

    config, whole = uninterrupted
    path = create(workspace, config.model_copy(update={"max_steps": 40}))
    pid = jobs.start(path)
    while not (path / "checkpoints" / "checkpoint-10" / MARKER).exists():
        assert read_run(path).state == "running", (path / "log.txt").read_text()[-2000:]
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
        found = sorted((demo_data() / "models").glob("**/config.json"))
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
    assert again.curve[-1].loss == whole.curve[-1].loss
    assert losses(again) == losses(whole)


def test_changed_data_stops_a_resume(workspace, settings, tmp_path):
    data = write_jsonl(tmp_path / "d.jsonl", [{"messages": chat(i)} for i in range(16)])
    path = create(workspace, settings(data=str(data)))
    write_jsonl(data, [{"messages": chat(i)} for i in range(15)])
    assert jobs.run_here(path) == "failed"
    assert "has changed" in read_run(path).error[0]


def test_a_diverging_run_says_so(workspace, settings):
    path = create(workspace, settings(learning_rate=1e30, warmup=0.0, max_grad_norm=0))
    assert jobs.run_here(path) == "failed"
    problem, remedy = read_run(path).error
    assert "diverged" in problem
    assert "learning_rate" in remedy


def test_exhausted_memory_says_what_to_lower(workspace, settings, tmp_path):
    import resource

    import psutil

    rows = [
        {"messages": [{"role": "user", "content": "red " * 400}, chat(i)[1]]} for i in range(64)
    ]
    data = write_jsonl(tmp_path / "long.jsonl", rows)
    path = create(workspace, settings(data=str(data), batch_size=64, micro_batch=64))
    limits = resource.getrlimit(resource.RLIMIT_AS)
    allowed = psutil.Process().memory_info().vms + (96 << 20)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (allowed, limits[1]))
        state = jobs.run_here(path)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    assert state == "failed"
    problem, remedy = read_run(path).error
    assert "ran out of memory with 64 rows" in problem
    assert "micro_batch to 32" in remedy


def test_a_run_that_cannot_fit_is_refused_before_it_starts(workspace, settings, monkeypatch):
    from crowdselect.finetune import machine

    monkeypatch.setattr(machine, "available_memory", lambda: 64 << 20)
    path = create(workspace, settings())
    assert jobs.run_here(path) == "failed"
    view = read_run(path)
    assert "64 MiB are free" in view.error[0]
    assert view.curve == ()


def test_an_estimate_measures_and_leaves_nothing(settings, tmp_path):
    found = estimate(settings(burst_steps=2), folder=tmp_path)
    assert found.basis == "measured"
    assert found.seconds == pytest.approx(found.tokens / found.tokens_per_s)
    assert (found.steps, found.rows, found.refusal) == (12, 96, None)
    assert found.tokens == pytest.approx(12 * 16 * 16.75)
    assert list(tmp_path.iterdir()) == []
    computed = estimate(settings(), burst=False, folder=tmp_path)
    assert (computed.basis, computed.seconds) == ("formula", None)
    assert computed.lines()


def test_missing_things_are_named(workspace, settings, tmp_path):
    with pytest.raises(CrowdSelectError, match=r"nowhere\.jsonl"):
        create(workspace, settings(data="nowhere.jsonl"))
    path = create(workspace, settings(model="./no-such-model"))
    assert jobs.run_here(path) == "failed"
    assert "no-such-model" in read_run(path).error[0]
    path = create(workspace, settings(mode="lora", lora_targets=("nonsense",)))
    assert jobs.run_here(path) == "failed"
    assert "q_proj" in read_run(path).error[1]
    with pytest.raises(CrowdSelectError, match="no model yet"):
        output_model(path)


@pytest.fixture(scope="session")
def pair_file(tmp_path_factory):
    rows = [
        {"prompt": chat(i)[:1], "chosen": chat(i)[1:], "rejected": "red red nine"}
        for i in range(32)
    ]
    return write_jsonl(tmp_path_factory.mktemp("pairs") / "pairs.jsonl", rows)


@pytest.mark.parametrize(
    ("method", "mode"), [("dpo", "lora"), ("dpo", "full"), ("orpo", "full"), ("simpo", "full")]
)
def test_preference_methods_learn_to_prefer_the_chosen_answer(
    workspace, settings, pair_file, method, mode
):
    options = settings(
        data=str(pair_file),
        preset=f"{method}-default",
        mode=mode,
        learning_rate=2e-3,
        batch_size=8,
        max_steps=12,
    )
    view = read_run(finish(workspace, options))
    events = files.read_lines(view.path / "events.jsonl")
    margins = [e["rewards_margins"] for e in events if e["event"] == "log"]
    assert margins[-1] > margins[0]
    assert view.curve[-1].loss < view.curve[0].loss
    assert view.curve[-1].tokens > 0
    assert output_model(view.path).adapter == (mode == "lora")


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


def test_a_tracker_that_is_not_installed_is_named(workspace, settings):
    from importlib.util import find_spec

    missing = next((t for t in ("mlflow", "wandb", "trackio") if find_spec(t) is None), None)
    if missing is None:
        pytest.skip("every tracker is installed here")
    path = create(workspace, settings(report_to=(missing,)))
    assert jobs.run_here(path) == "failed"
    assert read_run(path).error[1] == f"pip install {missing}"


def test_nothing_incomplete_counts_as_a_checkpoint(tmp_path):
    for step, whole in ((5, True), (10, True), (15, False)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if whole:
            files.write_json(folder / MARKER, {"step": step, "tokens": step})
    assert last_checkpoint(tmp_path).name == "checkpoint-10"


def test_batches_hold_like_lengths_in_an_order_that_follows_seed_and_epoch():
    import numpy as np

    from crowdselect.finetune.order import GroupedByLength

    lengths = np.random.default_rng(0).integers(5, 500, 203).tolist()
    order = GroupedByLength(lengths, 8, seed=1)
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
    assert list(GroupedByLength(lengths, 8, seed=2)) != first

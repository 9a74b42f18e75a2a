"""Real runs of a tiny pretrained model: what is trained on, what stops, goes on and is saved."""

import json

import pytest

from crowdselect import files, jobs
from crowdselect.errors import CrowdSelectError
from crowdselect.finetune import FinetuneConfig, create, estimate, output_model, read_run
from tests.crowds import write_jsonl

from .conftest import chat, finish


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

    recipe = {"id": "abc123", "name": "best-96", "weights": {"difficulty": 1.0, "stability": 2.0}}
    known = {"recipe": recipe, "selection": "abc123"}
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
    assert "sft on best-96" in card
    assert "difficulty=1 stability=2" in card
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


def test_a_four_bit_base_trains_and_merges_with_the_whole_one(workspace, settings, base_model):
    from importlib.util import find_spec

    from safetensors.torch import load_file

    config = settings(mode="lora", four_bit=True, merge=True, max_steps=6)
    path = create(workspace, config)
    if find_spec("bitsandbytes") is None:
        assert jobs.run_here(path) == "failed"
        assert read_run(path).error[1] == "pip install bitsandbytes"
        return
    assert jobs.run_here(path) == "done", read_run(path).error
    merged = load_file(path / "merged" / "model.safetensors")
    base = load_file(base_model / "model.safetensors")
    assert {name: w.dtype for name, w in merged.items()} == {n: w.dtype for n, w in base.items()}
    name = "model.layers.0.mlp.up_proj.weight"
    assert 0 < (merged[name] - base[name]).abs().max() < 0.05


def test_packing_trains_its_epochs_on_fewer_fuller_rows(workspace, settings):
    options = settings(batching="packing", max_length=64, batch_size=4, max_steps=None, epochs=2.0)
    view = read_run(finish(workspace, options))
    assert view.curve[-1].epoch == pytest.approx(2.0)
    assert view.curve[-1].tokens == 2 * view.data["tokens"]
    assert view.step < 2 * 96 / 4 / 2


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

    monkeypatch.setattr(machine, "available_memory", lambda: 64 << 20)  # bytes
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
    with pytest.raises(CrowdSelectError, match="no-such-model"):
        create(workspace, settings(model="./no-such-model"))
    (tmp_path / "hollow").mkdir()
    path = create(workspace, settings(model=str(tmp_path / "hollow")))
    assert jobs.run_here(path) == "failed"
    assert "hollow" in read_run(path).error[0]
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


def test_a_tracker_that_is_not_installed_is_named(workspace, settings):
    from importlib.util import find_spec

    missing = next((t for t in ("mlflow", "wandb", "trackio") if find_spec(t) is None), None)
    if missing is None:
        pytest.skip("every tracker is installed here")
    path = create(workspace, settings(report_to=(missing,)))
    assert jobs.run_here(path) == "failed"
    assert read_run(path).error[1] == f"pip install {missing}"


def test_the_card_says_how_to_serve_what_came_out(settings):
    from crowdselect.finetune.card import serving_lines

    def lines(**given):
        return serving_lines(settings(**given), "org/base")

    assert lines()[0] == "vllm serve ./model --served-model-name train.jsonl"
    adapter = lines(mode="lora", lora_rank=12)
    assert (
        "org/base --enable-lora --max-lora-rank 16 --lora-modules train.jsonl=./model"
        in (adapter[0])
    )
    assert "ADAPTER ./model" in adapter[1]
    assert lines(mode="lora", merge=True)[0].startswith("vllm serve ./merged ")
    assert "no DoRA" in lines(mode="lora", dora=True)[0]


def test_a_model_has_the_layout_that_gguf_expects(workspace, settings):
    gguf = pytest.importorskip("gguf")
    from safetensors import safe_open

    model = output_model(finish(workspace, settings(max_steps=1))).path
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        assert (model / name).exists()
    config = json.loads((model / "config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"]
    known = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    with safe_open(model / "model.safetensors", "pt") as tensors:
        names = tensors.keys()
    assert [n for n in names if known.get_name(n, (".weight", ".bias")) is None] == []

"""LESS against gradients that are taken and compared the obvious way."""

import json

import numpy as np
import pytest
import torch

from crowdselect.errors import InputError
from crowdselect.lm.models import Checkpoint, load_causal
from crowdselect.scoring import Less, Sample, score

ASKED = [("What is 2 plus 3?", "5"), ("Sort: b, a", "a, b"), ("Say yes.", "yes"), ("Say no.", "")]
TARGETS = [
    {"instruction": "What is 4 plus 1?", "output": "5", "category": "sums"},
    {"instruction": "What is 1 plus 1?", "output": "2", "category": "sums"},
    {"instruction": "Sort: d, c", "output": "c, d", "category": "order"},
]


@pytest.fixture
def targets(tmp_path):
    path = tmp_path / "targets.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in TARGETS), encoding="utf-8")
    return path


def slow(folder, question, answer):
    """The loss gradient of the answer's tokens with their end, as one unit vector."""
    loaded = load_causal(Checkpoint(str(folder)))
    chat = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    before = loaded.tokenizer.apply_chat_template(
        chat[:1], add_generation_prompt=True, return_dict=False
    )
    whole = loaded.tokenizer.apply_chat_template(chat, return_dict=False)
    end = len(whole) - whole[::-1].index(loaded.tokenizer.eos_token_id)
    wanted = torch.tensor(whole[len(before) : end])
    for weight in loaded.model.parameters():
        weight.requires_grad_(True)
    logits = loaded.model(input_ids=torch.tensor([whole[:end]])).logits[0]
    loss = torch.nn.functional.cross_entropy(logits[len(before) - 1 : end - 1], wanted)
    loss.backward()
    parts = [w.grad.flatten() for w in loaded.model.parameters() if w.grad is not None]
    flat = torch.cat(parts).double()
    return (flat / flat.norm()).numpy()


def test_the_score_is_the_mean_cosine_of_gradients_to_the_nearest_task(
    small_model, targets, tmp_path
):
    samples = [Sample(f"s{i}", q, a) for i, (q, a) in enumerate(ASKED)]
    model = ({"model": str(small_model)},)
    exact = score(samples, Less(model, str(targets), dimensions=0), tmp_path / "a")
    wanted = {}
    for row in TARGETS:
        vector = slow(small_model, row["instruction"], row["output"])
        wanted.setdefault(row["category"], []).append(vector)
    means = [
        {name: np.mean([slow(small_model, q, a) @ t for t in ts]) for name, ts in wanted.items()}
        for q, a in ASKED[:3]
    ]
    found = exact.columns["less"]
    np.testing.assert_allclose(found.values[:3], [max(m.values()) for m in means], atol=1e-5)
    assert np.isnan(found.values[3])
    assert found.reasons[3] == "no answer to learn from"
    nearest = [max(m, key=m.get) for m in means]
    assert nearest[:2] == ["sums", "order"]
    assert exact.report["nearest_to_sums"] == nearest.count("sums")
    sketched = score(samples, Less(model, str(targets), dimensions=4096), tmp_path / "b")
    np.testing.assert_allclose(
        sketched.columns["less"].values[:3], found.values[:3], atol=0.08
    )  # five standard errors of 1 / sqrt(4096)


def test_checkpoints_count_by_their_learning_rates(small_model, targets, tmp_path):
    """The sum over checkpoints of rate x mean cosine, over the sum of rates, by task."""
    later = tmp_path / "later"
    loaded = load_causal(Checkpoint(str(small_model)))
    random = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in loaded.model.parameters():
            weight += 0.05 * torch.randn(weight.shape, generator=random)
    loaded.model.save_pretrained(later)
    loaded.tokenizer.save_pretrained(later)
    folders, rates = (small_model, later), (3e-5, 1e-5)
    samples = [Sample(f"s{i}", q, a) for i, (q, a) in enumerate(ASKED[:2])]
    models = tuple({"model": str(folder)} for folder in folders)
    asked = Less(models, str(targets), rates="3e-5, 1e-5", dimensions=0)
    found = score(samples, asked, tmp_path / "a").columns["less"].values
    wanted = []
    for question, answer in ASKED[:2]:
        tasks = {}
        for folder, rate in zip(folders, rates, strict=True):
            mine = slow(folder, question, answer)
            for row in TARGETS:
                near = rate / 4e-5 * (mine @ slow(folder, row["instruction"], row["output"]))
                count = sum(other["category"] == row["category"] for other in TARGETS)
                tasks[row["category"]] = tasks.get(row["category"], 0.0) + near / count
        wanted.append(max(tasks.values()))
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    for said in ("1e-5", "1e-5,x", "1e-5,-1"):
        with pytest.raises(InputError, match="no learning rates of 2 checkpoints"):
            Less(models, str(targets), rates=said).passes()


def test_what_is_missing_is_asked_for(small_model, targets, tmp_path):
    samples = [Sample("s", "Say yes.", "yes")]
    with pytest.raises(InputError, match="measured by a model"):
        score(samples, Less(targets=str(targets)), tmp_path)
    with pytest.raises(InputError, match="none are named"):
        score(samples, Less(({"model": str(small_model)},)), tmp_path)

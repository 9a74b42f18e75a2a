"""Preference methods train on the answers alone, whatever cuts a step into micro batches."""

from typing import Any

import pytest
import torch

from tests.crowds import write_jsonl

METHODS = ("dpo", "orpo", "simpo")


@pytest.fixture(scope="module")
def uneven_pairs(tmp_path_factory: Any) -> Any:
    """Pairs whose prompts and answers differ much in length, so that a mean of means would show."""
    rows = [
        {
            "prompt": [{"role": "user", "content": f"Say {'red tree ' * (1 + 3 * (i % 4))}{i}"}],
            "chosen": [{"role": "assistant", "content": "blue bird " * (1 + 5 * (i % 3))}],
            "rejected": [{"role": "assistant", "content": "nine lamp " * (1 + i % 2)}],
        }
        for i in range(8)
    ]
    return write_jsonl(tmp_path_factory.mktemp("uneven") / "pairs.jsonl", rows)


@pytest.fixture
def trainer_of(settings: Any, uneven_pairs: Any, tmp_path: Any) -> Any:
    from transformers import TrainerCallback

    from crowdselect.finetune.plan import make_plan
    from crowdselect.finetune.trainer import build_trainer

    def make(method: str, micro: int) -> Any:
        options = settings(
            data=str(uneven_pairs), preset=f"{method}-default", mode="full", batch_size=8,
            micro_batch=micro, max_steps=1, learning_rate=1e-3, schedule="constant",
            max_grad_norm=0.0,
        )  # fmt: skip
        plan, prepared = make_plan(options)
        return build_trainer(plan, prepared, tmp_path / f"{method}{micro}", TrainerCallback())

    return make


def gradients(trainer: Any) -> tuple[float, torch.Tensor]:
    """The first step's loss as it is logged, and the gradient that the optimiser gets."""
    from transformers import TrainerCallback

    found: list[torch.Tensor] = []

    class Look(TrainerCallback):
        def on_pre_optimizer_step(self, *_: Any, model: Any = None, **__: Any) -> None:
            found.append(torch.cat([p.grad.flatten().float() for p in model.parameters()]))

    trainer.add_callback(Look())
    trainer.train()
    loss = next(line["loss"] for line in trainer.state.log_history if "loss" in line)
    return loss, found[0].clone()


@pytest.mark.parametrize("method", METHODS)
def test_a_step_is_the_same_in_micro_batches_of_any_size(trainer_of: Any, method: str) -> None:
    whole_loss, whole = gradients(trainer_of(method, 8))
    for micro in (2,):
        loss, found = gradients(trainer_of(method, micro))
        assert loss == pytest.approx(whole_loss, rel=1e-5)
        assert (found - whole).norm() / whole.norm() < 1e-4


@pytest.mark.parametrize("method", METHODS)
def test_no_token_of_the_prompt_carries_loss(trainer_of: Any, method: str) -> None:
    """The loss does not feel the last hidden states that foretell the prompt's tokens."""
    trainer = trainer_of(method, 8)
    batch = next(iter(trainer.get_train_dataloader()))
    kept: list[torch.Tensor] = []

    def keep(_: Any, __: Any, output: Any) -> None:
        if output.requires_grad:
            output.retain_grad()
            kept.append(output)

    trainer.model.train()
    trainer.model.get_decoder().norm.register_forward_hook(keep)
    trainer.compute_loss(trainer.model, batch).backward()
    felt = sum((states.grad.abs().sum(-1) > 0).sum().item() for states in kept)
    answers = sum(
        len(trainer.processing_class(f" {c}<|end|>")["input_ids"])
        for i in range(8)
        for c in ("blue bird " * (1 + 5 * (i % 3)), "nine lamp " * (1 + i % 2))
    )
    assert felt == answers

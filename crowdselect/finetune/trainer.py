"""A plan -> a TRL trainer. The only module that knows TRL's names (trl 1.16, transformers 5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from accelerate import PartialState
from accelerate.utils import DistributedType, parse_flag_from_env
from transformers import Trainer, TrainerCallback
from transformers.integrations.integration_utils import TensorBoardCallback
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DPOTrainer
from trl.trainer.sft_config import SFTConfig

from crowdselect.finetune.models import checkpoint_of, load_model, lora_config
from crowdselect.finetune.order import OrderedSFTTrainer, RowOrder
from crowdselect.finetune.plan import Plan, training_rows
from crowdselect.finetune.prepare import Prepared
from crowdselect.lm.encoding import IGNORED
from crowdselect.lm.models import load_tokenizer
from crowdselect.tracking import FOLDER, PROJECT

CHECKPOINTS = "checkpoints"


def build_trainer(plan: Plan, prepared: Prepared, run: Path, callback: TrainerCallback) -> Trainer:
    """Build the trainer of a run whose directory is ``run``."""
    config, budget = plan.config, plan.budget
    rows = training_rows(len(prepared.dataset), config)
    arguments = {
        **_arguments(plan, run / CHECKPOINTS, steps=budget.steps),
        "save_strategy": "steps",
        "save_steps": config.save_steps or max(1, -(-budget.steps // 10)),
        "save_total_limit": config.keep_checkpoints,
        "logging_steps": config.log_steps or max(1, budget.steps // 200),
        "report_to": [name for name in config.report_to if name != "tensorboard"] or "none",
        "run_name": run.name,
        "project": PROJECT,
    }
    if plan.setup.batching == "packing":  # how many rows packing makes is known only now
        arguments |= {"max_steps": config.max_steps or -1, "num_train_epochs": config.epochs}
    held_out = None
    if config.eval_share:
        held = np.setdiff1d(np.arange(len(prepared.dataset)), rows)
        held_out = prepared.dataset.select(held)
        arguments |= {
            "eval_strategy": "steps",
            "eval_steps": arguments["save_steps"],
            "per_device_eval_batch_size": budget.micro_batch,
        }
    train, order = prepared.dataset.select(rows), None
    if config.method == "sft" and plan.setup.batching != "packing":
        order = RowOrder(
            [int(length) for length in prepared.lengths[rows]],
            config.batch_size,
            config.seed,
            grouped=plan.setup.batching == "padded",
            multiple=config.processes * budget.micro_batch if config.processes > 1 else 1,
        )
        if order.missing:
            train = _with_silent_row(train)
    trainer = _trainer(plan, prepared, arguments, train, held_out, callback)
    if isinstance(trainer, OrderedSFTTrainer):
        trainer.order = order
    if "tensorboard" in config.report_to:  # its default folder goes when the checkpoints go
        from torch.utils.tensorboard.writer import SummaryWriter

        writer = SummaryWriter(str(run / FOLDER))
        trainer.add_callback(TensorBoardCallback(writer))  # type: ignore[no-untyped-call]
    return trainer


def _with_silent_row(rows: Any) -> Any:
    """The rows and, last, one of a single token without loss."""
    from datasets import Dataset, concatenate_datasets

    silent = {"input_ids": [rows[0]["input_ids"][:1]], "labels": [[IGNORED]]}
    return concatenate_datasets([rows, Dataset.from_dict(silent, features=rows.features)])


def build_burst(
    plan: Plan,
    prepared: Prepared,
    folder: Path,
    rows: list[int],
    steps: int,
    callback: TrainerCallback,
) -> Trainer:
    """Build a trainer that takes a few steps of one micro batch each, over ``rows`` in order."""
    arguments = {
        **_arguments(plan, folder, steps=steps),
        "gradient_accumulation_steps": 1,
        "save_strategy": "no",
        "logging_strategy": "no",
        "report_to": "none",
        "train_sampling_strategy": "sequential",
    }
    return _trainer(plan, prepared, arguments, prepared.dataset.select(rows), None, callback)


def _arguments(plan: Plan, output: Path, *, steps: int) -> dict[str, Any]:
    config, setup, budget = plan.config, plan.setup, plan.budget
    on_gpu = setup.device == "cuda"
    sharded = config.launcher == "accelerate" and config.accelerate_config == "fsdp2"
    return {
        "output_dir": str(output),
        "per_device_train_batch_size": budget.micro_batch,
        "gradient_accumulation_steps": budget.accumulate,
        "max_steps": steps,
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": config.schedule,
        "warmup_steps": config.warmup,
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.max_grad_norm,
        "optim": setup.optimizer,
        "seed": config.seed,
        "data_seed": config.seed,
        "bf16": setup.bf16,
        "tf32": True if on_gpu and setup.bf16 else None,
        "use_cpu": setup.device == "cpu",
        "torch_compile": setup.compile,
        # FSDP wraps the layers itself and is told through its own configuration.
        "activation_checkpointing": budget.activation_checkpointing and not sharded,
        "use_liger_kernel": setup.kernels == "liger",
        "ddp_find_unused_parameters": False,
        "dataloader_pin_memory": on_gpu,
        "dataloader_num_workers": 2 if on_gpu else 0,
        "logging_nan_inf_filter": False,  # a loss that is not finite must be seen
        "disable_tqdm": True,
    }


def _trainer(
    plan: Plan,
    prepared: Prepared,
    arguments: dict[str, Any],
    train: Any,
    held_out: Any,
    callback: TrainerCallback,
) -> Trainer:
    tokenizer = load_tokenizer(checkpoint_of(plan.config))
    if prepared.chat.kept_template is not None:
        tokenizer.chat_template = prepared.chat.kept_template
    trainer_class, arguments_class, more = _method(plan, prepared, arguments)
    # Built before the model: sharded loading needs the process group that these start.
    made = arguments_class(**arguments, **more)
    made.device  # noqa: B018 - sets the devices up, so that the next line is not overwritten
    made._n_gpu = min(made._n_gpu, 1)  # one process, one device; TRL refuses DataParallel
    if plan.setup.device == "cpu":
        _shard_over_cpus()
    trainer: Trainer = trainer_class(
        model=load_model(plan.config, plan.setup),
        args=made,
        train_dataset=train,
        eval_dataset=held_out,
        processing_class=tokenizer,
        peft_config=lora_config(plan.config),
        callbacks=[callback],
    )
    return trainer


def _shard_over_cpus() -> None:
    """Have FSDP where ``accelerate launch`` was told so.

    PyTorch shards over gloo as over NCCL; accelerate asks for the kind of process group that
    GPUs make before it looks at its own setting.
    """
    if parse_flag_from_env("ACCELERATE_USE_FSDP"):
        PartialState().distributed_type = DistributedType.MULTI_GPU


def _method(plan: Plan, prepared: Prepared, arguments: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Trainer class, arguments class and the method's own arguments."""
    config = plan.config
    common = {"max_length": config.max_length}
    if config.method == "dpo":
        return DPOTrainer, DPOConfig, {**common, "beta": config.beta}
    if config.method == "orpo":
        from trl.experimental.orpo import ORPOConfig

        from crowdselect.finetune.odds_ratio import AnswerORPOTrainer

        return AnswerORPOTrainer, ORPOConfig, {**common, "beta": config.beta}
    if config.method == "simpo":
        from trl.experimental.cpo import CPOConfig, CPOTrainer

        simpo = {"loss_type": "simpo", "cpo_alpha": 0.0, "simpo_gamma": config.gamma}
        return CPOTrainer, CPOConfig, {**common, **simpo, "beta": config.beta}
    batching = plan.setup.batching
    return (
        OrderedSFTTrainer,
        SFTConfig,
        {
            # The rows are cut to length already; TRL allows a limit with packing only.
            "max_length": config.max_length if batching == "packing" else None,
            "packing": batching == "packing",
            "eval_packing": False,
            "padding_free": batching == "padding-free",
            "eos_token": prepared.report.end_token,
        },
    )

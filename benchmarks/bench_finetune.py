"""Fine-tuning speed: crowdselect against a plain ``transformers.Trainer`` that pads.

    python benchmarks/bench_finetune.py                       # by device: 3B shapes or a small one
    python benchmarks/bench_finetune.py --models llama-3.2-3b --modes full --rounds 3

Models are built from a config with random weights, rows have random tokens and the lengths of
instruction data (log-normal). Both sides train on the same 1,024 rows, in the same number format,
with the same rows per step; each measurement is a process of its own, the two sides alternate, and
the median of the rounds is printed with its ratio. Tokens are non-padding tokens. On a GPU time is
wall time, on a CPU it is CPU time of one thread. MFU follows ``crowdselect.finetune.flops`` and is
given on GPUs with a known peak.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SHAPES = {
    "llama-3.2-3b": (
        "LlamaConfig",
        {
            "hidden_size": 3072,
            "intermediate_size": 8192,
            "num_hidden_layers": 28,
            "num_attention_heads": 24,
            "num_key_value_heads": 8,
            "vocab_size": 128256,
            "tie_word_embeddings": True,
        },
    ),
    "qwen2.5-3b": (
        "Qwen2Config",
        {
            "hidden_size": 2048,
            "intermediate_size": 11008,
            "num_hidden_layers": 36,
            "num_attention_heads": 16,
            "num_key_value_heads": 2,
            "vocab_size": 151936,
            "tie_word_embeddings": True,
        },
    ),
    "small": (
        "LlamaConfig",
        {
            "hidden_size": 256,
            "intermediate_size": 704,
            "num_hidden_layers": 4,
            "num_attention_heads": 8,
            "num_key_value_heads": 4,
            "vocab_size": 4096,
            "tie_word_embeddings": True,
        },
    ),
}
ROWS_PER_STEP = {"cuda": 32, "cpu": 16}
ROWS = 1024
WARM_UP = 2


def lengths_of(count: int, longest: int, seed: int) -> np.ndarray:
    """Log-normal lengths: a median of a fifth of the limit, the top two per cent cut to it."""
    drawn = np.random.default_rng(seed).lognormal(np.log(longest / 5), 0.8, count)
    return np.clip(drawn, longest // 64, longest).astype(int)


def rows_of(lengths: np.ndarray, vocabulary: int):
    """A data set of random tokens; the first quarter of each row is prompt."""
    from datasets import Dataset

    rng = np.random.default_rng(0)
    ids = [rng.integers(10, vocabulary, n).tolist() for n in lengths]
    labels = [[-100] * (len(row) // 4) + row[len(row) // 4 :] for row in ids]
    return Dataset.from_dict({"input_ids": ids, "labels": labels})


def clock():
    """A callback that times steps: wall time on a GPU, CPU time of one thread on a CPU.

    CPU time does not depend on what else the machine is doing.
    """
    import torch
    from transformers import TrainerCallback

    on_gpu = torch.cuda.is_available()

    class Clock(TrainerCallback):
        def __init__(self):
            self.durations, self.seen, self.began = [], [], 0.0

        def now(self):
            if on_gpu:
                torch.cuda.synchronize()
            return time.perf_counter() if on_gpu else time.process_time()

        def on_step_begin(self, args, state, control, **kwargs):
            self.began = self.now()

        def on_step_end(self, args, state, control, **kwargs):
            self.durations.append(self.now() - self.began)
            self.seen.append(int(state.num_input_tokens_seen))

        def speed(self):
            tokens = self.seen[-1] - self.seen[WARM_UP - 1]
            return tokens / sum(self.durations[WARM_UP:])

    if not on_gpu:
        torch.set_num_threads(1)
    return Clock()


def write_model(name: str, folder: Path) -> None:
    """Random weights and a tokenizer with nothing but an end token."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models

    kind, options = SHAPES[name]
    config = getattr(transformers, kind)(**options, max_position_embeddings=4096)
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    words = Tokenizer(models.WordLevel({"</s>": 0, "a": 1}, unk_token="</s>"))
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token="</s>", pad_token="</s>"
    ).save_pretrained(folder)


def settings(case: dict):
    """Plan and prepared rows of a case, as a run would have them."""
    from crowdselect.finetune import FinetuneConfig, machine
    from crowdselect.finetune.budget import plan, trained_parameters
    from crowdselect.finetune.flops import flops_per_token, peak_flops, shape_of
    from crowdselect.finetune.models import checkpoint_of
    from crowdselect.finetune.plan import Plan
    from crowdselect.finetune.prepare import DataReport, Prepared
    from crowdselect.lm.encoding import ChatFormat
    from crowdselect.lm.models import load_config

    here = machine.look()
    config = FinetuneConfig(
        data="-",
        model=case["folder"],
        mode=case["mode"],
        batch_size=case["rows"],
        micro_batch=None if here.device == "cuda" else case["rows"],
        max_length=case["longest"],
        max_steps=case["steps"],
        save_steps=10**9,
        log_steps=10**9,
        batching=case["batching"],
        compile=case["compile"],
        learning_rate=1e-5,
        lora_dropout=0.0,
    )
    shape = shape_of(load_config(checkpoint_of(config)))
    lengths = lengths_of(ROWS, case["longest"], case["seed"])
    setup = machine.choose(config, here)
    tokens, longest = int(lengths.sum()), int(lengths.max())
    budget = plan(config, shape, setup, here, rows=len(lengths), tokens=tokens, longest=longest)
    lora = trained_parameters(shape, config) if config.mode == "lora" else None
    made = Plan(
        config=config,
        setup=setup,
        budget=budget,
        flops_per_token=flops_per_token(shape, float(lengths.mean()), lora_parameters=lora),
        peak=peak_flops(here.name) if setup.bf16 else None,
        parameters=shape.parameters,
        trained=trained_parameters(shape, config),
        memory_free=here.memory,
    )
    report = DataReport(
        *("random", "none", None, len(lengths), len(lengths), 0, 0, 0, (), tokens, tokens, 0),
        *(float(lengths.mean()), float(np.median(lengths)), longest),
    )
    rows = rows_of(lengths, shape.vocabulary)
    return made, Prepared(rows, lengths, report, ChatFormat(None, "none", False, None))


def ours(plan, prepared, folder: Path, timer):
    """The trainer that a run of crowdselect uses."""
    from crowdselect.finetune.trainer import build_trainer

    return build_trainer(plan, prepared, folder, timer)


def plain(plan, prepared, folder: Path, timer, micro: int):
    """``transformers.Trainer`` with padding to the longest row of a batch, and SDPA."""
    import torch
    from peft import get_peft_model
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        DataCollatorForSeq2Seq,
        Trainer,
        TrainingArguments,
    )

    from crowdselect.finetune.models import lora_config

    config, setup = plan.config, plan.setup
    tokenizer = AutoTokenizer.from_pretrained(config.model)
    weights = getattr(torch, setup.weights)
    model = AutoModelForCausalLM.from_pretrained(config.model, dtype=weights)
    if config.mode == "lora":
        model = get_peft_model(model, lora_config(config))
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=config.batch_size // micro,
        max_steps=config.max_steps,
        learning_rate=config.learning_rate,
        bf16=setup.bf16,
        activation_checkpointing=plan.budget.activation_checkpointing,
        use_cpu=setup.device == "cpu",
        dataloader_pin_memory=setup.device == "cuda",
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    return Trainer(
        model=model,
        args=arguments,
        train_dataset=prepared.dataset,
        data_collator=DataCollatorForSeq2Seq(tokenizer),
        processing_class=tokenizer,
        callbacks=[timer],
    )


def measure(case: dict) -> dict:
    """Train one side of a case in this process and return its numbers."""
    import torch
    from transformers import PrinterCallback

    from crowdselect.finetune.callback import peak_memory
    from crowdselect.finetune.failures import out_of_memory
    from crowdselect.finetune.flops import mfu

    plan, prepared = settings(case)
    micro = plan.budget.micro_batch
    with tempfile.TemporaryDirectory() as folder:
        while True:
            timer = clock()
            try:
                if case["side"] == "ours":
                    trainer = ours(plan, prepared, Path(folder), timer)
                else:
                    trainer = plain(plan, prepared, Path(folder), timer, micro)
                trainer.args.include_num_input_tokens_seen = "non_padding"
                trainer.remove_callback(PrinterCallback)
                trainer.train()
                break
            except (RuntimeError, MemoryError) as error:  # full logits need much memory
                if case["side"] == "ours" or micro == 1 or not out_of_memory(error):
                    raise
                micro //= 2
                trainer = None
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()
    speed = timer.speed()
    return {
        "device": plan.setup.device_name,
        "tokens_per_s": speed,
        "mfu": mfu(speed, plan.flops_per_token, plan.peak, 1),
        "memory_gib": peak_memory() / 2**30,
        "micro_batch": micro,
        "checkpointing": plan.budget.activation_checkpointing,
        "batching": plan.setup.batching if case["side"] == "ours" else "padded",
        "attention": plan.setup.attention if case["side"] == "ours" else "sdpa",
        "parameters": plan.parameters,
        "mean_length": float(prepared.lengths.mean()),
        "notes": list(plan.setup.notes),
    }


def in_process(case: dict) -> dict:
    """Measure in a process of its own."""
    out = subprocess.run(
        [sys.executable, __file__, "--case", json.dumps(case)],
        check=False,
        capture_output=True,
        text=True,
    )
    if out.returncode:
        raise SystemExit(f"{case['side']} of {case['name']} failed:\n{out.stderr[-3000:]}")
    return json.loads(out.stdout.splitlines()[-1])


def compare(case: dict, rounds: int) -> dict:
    """Alternate the two sides and return medians."""
    sides: dict[str, list[dict]] = {"ours": [], "plain": []}
    for number in range(rounds):
        for side in ("ours", "plain") if number % 2 == 0 else ("plain", "ours"):
            sides[side].append(in_process({**case, "side": side, "seed": number}))
    return {side: median(found) for side, found in sides.items()}


def median(found: list[dict]) -> dict:
    """The first measurement with the medians of the measured numbers."""
    result = dict(found[0])
    for key in ("tokens_per_s", "mfu", "memory_gib"):
        values = [f[key] for f in found if f[key] is not None]
        result[key] = statistics.median(values) if values else None
    return result


def show(name: str, mode: str, found: dict) -> None:
    """One line per side and the ratio."""
    for side, numbers in found.items():
        share = "" if numbers["mfu"] is None else f", MFU {numbers['mfu']:.1%}"
        print(
            f"{name} {mode:4} {side:5} {numbers['tokens_per_s']:10,.0f} tokens/s{share}, "
            f"{numbers['memory_gib']:.1f} GiB, {numbers['batching']} ({numbers['attention']}), "
            f"micro batch {numbers['micro_batch']}"
            f"{', recomputed activations' if numbers['checkpointing'] else ''}"
        )
    ratio = found["ours"]["tokens_per_s"] / found["plain"]["tokens_per_s"]
    print(f"{name} {mode:4} ratio {ratio:.2f} x")


def main() -> None:
    """Run every case and print the ratios; a JSON document of everything comes last."""
    import torch

    on_gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = ["llama-3.2-3b", "qwen2.5-3b"] if on_gpu else ["small"]
    parser.add_argument("--models", nargs="+", choices=SHAPES, default=default)
    parser.add_argument("--modes", nargs="+", choices=["full", "lora"], default=["full", "lora"])
    parser.add_argument("--longest", type=int, default=2048 if on_gpu else 384)
    parser.add_argument("--steps", type=int, default=14 if on_gpu else 10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batching", default="auto")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.case:
        print(json.dumps(measure(json.loads(chosen.case))))
        return
    results = {}
    for name in chosen.models:
        with tempfile.TemporaryDirectory() as folder:
            write_model(name, Path(folder))
            for mode in chosen.modes:
                case = {
                    "name": name,
                    "folder": folder,
                    "mode": mode,
                    "rows": ROWS_PER_STEP["cuda" if on_gpu else "cpu"],
                    "longest": chosen.longest,
                    "steps": chosen.steps,
                    "batching": chosen.batching,
                    "compile": chosen.compile,
                }
                results[f"{name} {mode}"] = found = compare(case, chosen.rounds)
                show(name, mode, found)
    print(json.dumps({"when": time.strftime("%Y-%m-%d"), "results": results}))


if __name__ == "__main__":
    main()

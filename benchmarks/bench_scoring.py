"""Scoring speed: SelectIT and IFD against a batch-of-one loop over full logits.

    python benchmarks/bench_scoring.py                 # both sides, float32 on a CPU, bf16 on a GPU
    python benchmarks/bench_scoring.py --samples 8 --rounds 1

The baseline does what the published scripts do: one text at a time, the vocabulary head over every
position, and for IFD the model's own loss and then a Python loop over every token's. Both sides use
the same model (random weights), loaded beforehand, and read the same texts (word counts
log-normal); they alternate, and the median of the rounds is printed with its ratio. On a CPU time
is CPU time of one thread, on a GPU wall time. Scores must agree to 1e-4 in float32, or the script
fails.

How large the ratio is depends on the model (the vocabulary head's share of the work) and, for IFD,
on the texts: the head's work on the instruction is saved, its work on the answer is not.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from crowdselect.scoring import IFD, LanguageModel, ModelSpec, Sample, Scorer, SelectIT
from crowdselect.scoring.digits import digit_tokens
from crowdselect.scoring.ifd import ANSWER, QUESTION
from crowdselect.scoring.prompts import rating_prompts, rating_text
from crowdselect.scoring.ratings import digit_shares, sentence_scores, token_scores

PROMPTS = 2
SHAPES: dict[int, dict[str, Any]] = {
    32_000: {
        "hidden_size": 512,
        "intermediate_size": 1376,
        "num_hidden_layers": 3,
        "tie_word_embeddings": False,
    },
    152_000: {
        "hidden_size": 256,
        "intermediate_size": 704,
        "num_hidden_layers": 6,
        "tie_word_embeddings": True,
    },
}
"""Vocabulary -> a Llama of about 43 million parameters."""
CASES = (("selectit", 32_000), ("selectit", 152_000), ("ifd", 152_000))
TOLERANCE = 1e-4


def make_model(folder: Path, vocabulary: int) -> Path:
    """A Llama with random weights and a byte-level tokenizer of 600 tokens."""
    import torch
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\d|\n"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=["<pad>", "<end>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([*rating_prompts(9, 5), " ".join(WORDS)] * 5, trainer)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=vocabulary,
        num_attention_heads=8,
        max_position_embeddings=2048,
        initializer_range=0.1,
        **SHAPES[vocabulary],
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="<end>")
    tokenizer.save_pretrained(folder)
    return folder


WORDS = "river bridge music number garden winter engine letter mirror silver forest".split()  # noqa: SIM905


def make_samples(n: int) -> list[Sample]:
    """Texts whose word counts spread as instruction data do: medians of 60 and 100 words."""
    rng = np.random.default_rng(0)
    asked = np.clip(rng.lognormal(4.1, 0.9, n), 5, 600).astype(int)
    answered = np.clip(rng.lognormal(4.6, 0.8, n), 10, 900).astype(int)

    def text(words: int) -> str:
        return " ".join(rng.choice(WORDS, words))

    pairs = zip(asked, answered, strict=True)
    return [Sample(str(i), text(a), text(b)) for i, (a, b) in enumerate(pairs)]


def selectit_by_ones(lm: LanguageModel, samples: Sequence[Sample]) -> np.ndarray:
    """Sentence-R, one text at a time, logits at every position."""
    import torch

    prompts = rating_prompts(PROMPTS, 5)
    digits = digit_tokens(lm, rating_text(prompts[0], "Say hello.", "Hello."), 5)
    scores = []
    for sample in samples:
        raw = []
        for prompt in prompts:
            text = rating_text(prompt, sample.instruction, sample.response)
            ids = torch.tensor([lm.ids(text)], device=lm.device)
            with torch.inference_mode():
                logits = lm.model(ids).logits[0, -1].float()
            raw.append(torch.softmax(logits, -1)[digits].double().cpu().numpy())
        scores.append(sentence_scores(token_scores(digit_shares(np.array(raw)))))
    return np.array(scores, dtype=np.float64)


def ifd_by_ones(lm: LanguageModel, samples: Sequence[Sample]) -> np.ndarray:
    """The ratio of losses, one text at a time: the model's loss, then a loop over its logits."""

    import torch
    import torch.nn.functional as functional

    def loss(before: str, response: str) -> float:
        coded = lm.tokenizer(before + response, return_offsets_mapping=True)
        ends = [end for _, end in coded["offset_mapping"]]
        start = max(1, next(i for i, end in enumerate(ends) if end > len(before)))
        ids = torch.tensor([coded["input_ids"]], device=lm.device)
        labels = ids.clone()
        labels[0, :start] = -100
        losses = []
        with torch.inference_mode():
            logits = lm.model(ids, labels=labels).logits
            for i in range(1, ids.shape[1]):
                shares = functional.log_softmax(logits[0, i - 1], dim=-1)
                losses.append(functional.nll_loss(shares[None], ids[0, i][None]).item())
        return statistics.mean(losses[start - 1 :])

    found = []
    for sample in samples:
        asked = QUESTION.format(instruction=sample.instruction) + ANSWER
        found.append(loss(asked, sample.response) / loss(ANSWER, sample.response))
    return np.array(found)


def timed(work: Callable[[], np.ndarray], device: str) -> tuple[float, np.ndarray]:
    """Seconds and result; CPU time of this process on a CPU."""
    import torch

    clock = time.perf_counter if device == "cuda" else time.process_time
    begin = clock()
    result = work()
    if device == "cuda":
        torch.cuda.synchronize()
    return clock() - begin, result


def case(name: str, vocabulary: int, samples: Sequence[Sample], rounds: int, folder: Path) -> dict:
    """Measure one scorer at one vocabulary."""
    model = folder / f"model-{vocabulary}"
    if not model.exists():
        make_model(model, vocabulary)
    spec = {"model": str(model), "batch_tokens": 2400}
    scorer: Scorer = (
        SelectIT(models=(spec,), n_prompts=PROMPTS) if name == "selectit" else IFD(models=(spec,))
    )
    baseline = selectit_by_ones if name == "selectit" else ifd_by_ones
    loaded = LanguageModel(ModelSpec.parse(spec, "spec"))
    (work,) = scorer.passes()
    worker = work.worker(folder)

    def ours() -> np.ndarray:
        return scorer.columns(samples, {work.key: worker(samples)})[name].values

    def theirs() -> np.ndarray:
        return baseline(loaded, samples)

    times: dict[str, list[float]] = {"ours": [], "baseline": []}
    results: dict[str, np.ndarray] = {}
    for _ in range(rounds):
        seconds, results["baseline"] = timed(theirs, loaded.device)
        times["baseline"].append(seconds)
        seconds, results["ours"] = timed(ours, loaded.device)
        times["ours"].append(seconds)
    difference = float(np.abs(results["ours"] - results["baseline"]).max())
    if loaded.device == "cpu" and not difference < TOLERANCE:
        raise SystemExit(f"{name}, vocabulary {vocabulary}: scores differ by {difference:.2g}")
    median = {side: statistics.median(values) for side, values in times.items()}
    return {
        "scorer": name,
        "vocabulary": vocabulary,
        "device": loaded.device,
        "seconds": {side: round(value, 3) for side, value in median.items()},
        "ratio": round(median["baseline"] / median["ours"], 2),
        "largest_difference": difference,
    }


def main() -> None:
    """Run every case and print a line each, or JSON."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    samples = make_samples(arguments.samples)
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, vocabulary in CASES:
            result = case(name, vocabulary, samples, arguments.rounds, Path(folder))
            found.append(result)
            if not arguments.json:
                print(
                    f"{name:9} vocabulary {vocabulary:>7,} on {result['device']}: "
                    f"{result['seconds']['baseline']:.2f} s one by one, "
                    f"{result['seconds']['ours']:.2f} s here, {result['ratio']:.2f}x; "
                    f"scores differ by at most {result['largest_difference']:.1e}",
                    flush=True,
                )
    if arguments.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()

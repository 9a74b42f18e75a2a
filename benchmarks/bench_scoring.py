"""Scoring speed: SelectIT and IFD against a batch-of-one loop over full logits.

    python benchmarks/bench_scoring.py                 # both sides, float32 on a CPU, bf16 on a GPU
    python benchmarks/bench_scoring.py --samples 8 --rounds 1

The baseline does what the published scripts do: a forward pass of its own for every text, one text
at a time, with the vocabulary head over every position; for SelectIT once per rating prompt, and
for IFD with the model's own loss and then a Python loop over every token's. Both sides use the same
model (a Llama with random weights), loaded beforehand, and read the same texts of about 300 tokens;
they alternate, and the median of the rounds is printed with its ratio. On a CPU time is CPU time of
one thread, on a GPU wall time. Scores must agree to 1e-4 in float32, or the script fails.

How large the ratio is depends on the model (the vocabulary head's share of the work) and, for IFD,
on the texts: the head's work on the instruction is saved, its work on the answer is not. So there
is a deep and a shallow model for SelectIT, and three splits of the text for IFD.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crowdselect.scoring import IFD, LanguageModel, ModelSpec, Sample, Scorer, SelectIT
from crowdselect.scoring.digits import digit_tokens
from crowdselect.scoring.ifd import ANSWER, QUESTION
from crowdselect.scoring.prompts import PROMPT_FIRST, SAMPLE_FIRST, rating_prompts, rating_text
from crowdselect.scoring.ratings import digit_shares, sentence_scores, token_scores

PROMPTS = 5
SHAPES: dict[str, dict[str, Any]] = {
    "32k": {
        "vocab_size": 32_000,
        "hidden_size": 512,
        "intermediate_size": 1376,
        "num_hidden_layers": 8,
        "tie_word_embeddings": True,
    },
    "32k, shallow": {
        "vocab_size": 32_000,
        "hidden_size": 512,
        "intermediate_size": 1376,
        "num_hidden_layers": 3,
        "tie_word_embeddings": False,
    },
    "152k": {
        "vocab_size": 152_000,
        "hidden_size": 256,
        "intermediate_size": 704,
        "num_hidden_layers": 8,
        "tie_word_embeddings": True,
    },
    "tiny": {
        "vocab_size": 600,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "tie_word_embeddings": True,
    },
    "1b": {
        "vocab_size": 128_256,
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "tie_word_embeddings": True,
    },
}
"""Name -> a Llama: of 42 to 45 million parameters, tiny, or of Llama-3.2-1B's shape."""
SMALL = ("32k", "32k, shallow", "152k")


@dataclass(frozen=True)
class Case:
    """A scorer on a model and on texts of a kind."""

    scorer: str
    shape: str
    asked: float = 1 / 2
    """The instruction's part of the text."""
    order: str = "prompt_first"

    @property
    def label(self) -> str:
        """The case in a few words."""
        parts = {1 / 3: "1:2", 1 / 2: "1:1", 2 / 3: "2:1"}
        if self.scorer == "ifd":
            return f"ifd, {self.shape}, instruction to answer {parts[self.asked]}"
        return f"selectit, {self.shape}" + ("" if self.order == PROMPT_FIRST else ", sample first")


CASES = (
    *(Case("selectit", shape) for shape in SMALL),
    Case("selectit", "32k", order=SAMPLE_FIRST),
    *(Case("ifd", "152k", asked) for asked in (1 / 3, 1 / 2, 2 / 3)),
)
TOLERANCE = 1e-4


def make_model(folder: Path, shape: str) -> Path:
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
    options = {"num_attention_heads": 8, **SHAPES[shape]}
    config = LlamaConfig(max_position_embeddings=2048, initializer_range=0.1, **options)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="<end>")
    tokenizer.save_pretrained(folder)
    return folder


WORDS = "river bridge music number garden winter engine letter mirror silver forest".split()  # noqa: SIM905


def make_samples(n: int, asked: float) -> list[Sample]:
    """Texts of about 270 tokens, spread log-normally; ``asked`` is the instruction's part."""
    rng = np.random.default_rng(0)
    words = np.clip(rng.lognormal(np.log(240), 0.5, n), 20, 900)
    ours = [(round(w * asked), round(w * (1 - asked))) for w in words]

    def text(count: int) -> str:
        return " ".join(rng.choice(WORDS, count))

    return [Sample(str(i), text(a), text(b)) for i, (a, b) in enumerate(ours)]


def selectit_by_ones(lm: LanguageModel, samples: Sequence[Sample], order: str) -> np.ndarray:
    """Sentence-R, one text at a time, logits at every position."""
    import torch

    prompts = rating_prompts(PROMPTS, 5)
    digits = digit_tokens(lm, rating_text(prompts[0], "Say hello.", "Hello.", order), 5)
    scores = []
    for sample in samples:
        raw = []
        for prompt in prompts:
            text = rating_text(prompt, sample.instruction, sample.response, order)
            coded = lm.tokenizer(text, return_tensors="pt", return_token_type_ids=False)
            with torch.no_grad():
                predictions = lm.model(**coded.to(lm.device))[0]
                shares = torch.softmax(predictions[:, -1, :].float(), dim=-1)[0]
            raw.append(shares[digits].double().cpu().numpy())
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
        with torch.no_grad():
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


def measure(case: Case, n: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Measure one case: both sides in turn, the median of the rounds."""
    model = folder / case.shape.replace(", ", "-")
    if not model.exists():
        make_model(model, case.shape)
    samples = make_samples(n, case.asked)
    spec = {"model": str(model)}
    scorer: Scorer = (
        SelectIT(models=(spec,), n_prompts=PROMPTS, order=case.order)
        if case.scorer == "selectit"
        else IFD(models=(spec,), keep_harmful=True)
    )
    loaded = LanguageModel(ModelSpec.parse(spec, "spec"))
    (work,) = scorer.passes()
    worker = work.worker(folder)

    def ours() -> np.ndarray:
        return scorer.columns(samples, {work.key: worker(samples)})[case.scorer].values

    def theirs() -> np.ndarray:
        if case.scorer == "ifd":
            return ifd_by_ones(loaded, samples)
        return selectit_by_ones(loaded, samples, case.order)

    times: dict[str, list[float]] = {"ours": [], "baseline": []}
    for _ in range(rounds):
        seconds, expected = timed(theirs, loaded.device)
        times["baseline"].append(seconds)
        seconds, got = timed(ours, loaded.device)
        times["ours"].append(seconds)
    difference = float(np.abs(got - expected).max())
    if loaded.device == "cpu" and not difference < TOLERANCE:
        raise SystemExit(f"{case.label}: scores differ by {difference:.2g}")
    median = {side: statistics.median(values) for side, values in times.items()}
    return {
        "case": case.label,
        "device": loaded.device,
        "seconds": {side: round(value, 3) for side, value in median.items()},
        "ratio": round(median["baseline"] / median["ours"], 2),
        "largest_difference": difference,
    }


def main() -> None:
    """Run every case and print a line each, or JSON."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="only cases whose name holds this")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for case in (c for c in CASES if arguments.only in c.label):
            result = measure(case, arguments.samples, arguments.rounds, Path(folder))
            found.append(result)
            if not arguments.json:
                seconds = result["seconds"]
                print(
                    f"{result['case']:42} on {result['device']}: {seconds['baseline']:.2f} s "
                    f"one by one, {seconds['ours']:.2f} s here, {result['ratio']:.2f}x; "
                    f"scores differ by at most {result['largest_difference']:.1e}",
                    flush=True,
                )
    if arguments.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()

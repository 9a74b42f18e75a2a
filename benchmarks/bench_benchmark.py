"""Speed of answering and judging, and how honest the intervals are.

    python benchmarks/bench_benchmark.py [--questions 200]

Answering: a random Llama (hidden 256, 4 layers), prompts of 5 to 200 words, 32 new tokens, greedy.
Judging: a local server that takes 50 ms per verdict. Intervals: simulated Arena-Hard games.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from crowdselect.benchmark.arena_scores import Battle, published_interval
from crowdselect.benchmark.statistics import mean_interval
from crowdselect.lm.batches import length_batches
from crowdselect.lm.generation import Request, generate_here
from crowdselect.lm.models import Checkpoint, load_causal
from crowdselect.servers import ChatRequest, RequestCache, ServerConfig, ask_all


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def make_model(folder: Path) -> None:
    """A random Llama with a word tokenizer and a chat template."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(0)
    words = ["<pad>", "<end>", "<unk>", *(f"w{i}" for i in range(8000))]
    made = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        eos_token="<end>",
        chat_template="{% for m in messages %}{{ m['content'] + ' ' }}{% endfor %}",
    ).save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=256,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=4,
        max_position_embeddings=1024,
        pad_token_id=0,
        eos_token_id=1,
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def bench_answers(n: int) -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, 200, size=n)
    requests = [
        Request(f"q{i}", ({"role": "user", "content": " ".join(f"w{k}" for k in range(length))},))
        for i, length in enumerate(lengths)
    ]
    with tempfile.TemporaryDirectory() as folder:
        make_model(Path(folder))
        loaded = load_causal(Checkpoint(str(folder)))

    def ask(some: list[Request], batch_tokens: int) -> None:
        generate_here(
            loaded, some, lambda *_: None, max_new_tokens=32, seed=0, batch_tokens=batch_tokens
        )

    ask(requests[:8], 8192)
    alone = seconds(lambda: [ask([r], 8192) for r in requests])
    size = 32
    unsorted = seconds(lambda: [ask(requests[i : i + size], 10**9) for i in range(0, n, size)])
    ordered = seconds(lambda: ask(requests, 8192))
    padded = sum(len(b) * lengths[b].max() for b in length_batches(lengths.tolist(), 8192, 32))
    print(f"answers: {n} prompts, one by one {alone:.1f} s")
    print(f"  batches of {size} in file order  {unsorted:.1f} s = {alone / unsorted:.1f}x")
    print(f"  length-sorted (the product)   {ordered:.1f} s = {alone / ordered:.1f}x")
    print(f"  padding: {padded / lengths.sum() - 1:.1%} of the prompt tokens")


def bench_judging(n: int = 64) -> None:
    from tests.benchmark.judge import serve

    def slow(*_: object) -> dict[str, str]:
        time.sleep(0.05)
        return {"text": "[[7]]"}

    requests = [ChatRequest(f"k{i}", ({"role": "user", "content": f"{i}"},), 16) for i in range(n)]
    with serve(slow) as server, tempfile.TemporaryDirectory() as folder:
        cache = RequestCache(Path(folder))

        def ask(concurrency: int, cache: RequestCache) -> None:
            config = ServerConfig(model="m", base_url=server.url, concurrency=concurrency)
            ask_all(config, requests, lambda *_: None, cache=cache)

        ask(4, RequestCache(None))
        one = seconds(lambda: ask(1, RequestCache(None)))
        many = seconds(lambda: ask(16, cache))
        again = seconds(lambda: ask(16, cache))
    print(f"verdicts: {n} of 50 ms, one at a time {one:.2f} s")
    print(f"  16 at a time {many:.2f} s = {one / many:.1f}x; from the cache {again:.3f} s")


def simulate(rng: np.random.Generator, questions: int) -> list[Battle]:
    """Two games per question that share its difficulty; clear wins count three times."""
    chance = np.clip(0.5 + 0.35 * rng.standard_normal(questions), 0.02, 0.98)
    found = []
    for i, p in enumerate(chance):
        weight = 3.0 if abs(p - 0.5) > 0.3 else 1.0
        found += [Battle(f"q{i}", float(rng.random() < p), weight) for _ in (1, 2)]
    return found


def bench_intervals(rounds: int = 200, questions: int = 500) -> None:
    rng = np.random.default_rng(1)
    hits = np.zeros(2)
    widths = np.zeros(2)
    truth = 0.5
    for k in range(rounds):
        games = simulate(rng, questions)
        ours = mean_interval(
            [g.score for g in games],
            [g.question for g in games],
            weights=[g.weight for g in games],
            bounds=(0.0, 1.0),
        )
        theirs = published_interval(games, "v0.1", seed=k)
        for place, interval in enumerate((ours, theirs)):
            hits[place] += interval.low <= truth <= interval.high
            widths[place] += 100 * (interval.high - interval.low) / 2
    print(f"intervals: {rounds} simulated Arena-Hard runs of {questions} questions, 95 % wanted")
    for name, hit, width in zip(
        ("by question (ours)", "battle by battle (published format)"), hits, widths, strict=True
    ):
        print(f"  {name:36s} hold the truth in {hit / rounds:.1%}, +-{width / rounds:.2f} points")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--questions", type=int, default=200)
    arguments = parser.parse_args()
    bench_answers(arguments.questions)
    bench_judging()
    bench_intervals()


if __name__ == "__main__":
    main()

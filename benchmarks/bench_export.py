"""Overlap with benchmarks and writing of exports, against plain Python in the same run.

    python benchmarks/bench_export.py [--rows 100000]

The baseline keeps every run of 13 words of the benchmark in a set of tuples and looks up every run
of every text, with words found by a regular expression: what most decontamination scripts do.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from pathlib import Path

import numpy as np

from crowdselect.export import (
    FORMATS,
    Example,
    Reference,
    References,
    Turn,
    find_overlaps,
)
from crowdselect.export.overlap import WORDS

WORD = re.compile(r"\w+")


def make_texts(rows: int, words: int, seed: int) -> list[str]:
    """Texts of made-up words with the frequencies of a natural language (Zipf)."""
    rng = np.random.default_rng(seed)
    ranks = np.minimum(rng.zipf(1.3, size=rows * words), 50_000)
    vocabulary = [f"w{k}" for k in range(50_001)]
    return [
        " ".join(vocabulary[r] for r in ranks[k * words : (k + 1) * words]) for k in range(rows)
    ]


def plain_overlaps(texts: list[str], references: list[str]) -> list[int]:
    """Rows that share a run, the plain way."""
    known = set()
    for text in references:
        words = WORD.findall(text.casefold())
        known |= {tuple(words[i : i + WORDS]) for i in range(len(words) - WORDS + 1)}
    found = []
    for row, text in enumerate(texts):
        words = WORD.findall(text.casefold())
        runs = (tuple(words[i : i + WORDS]) for i in range(len(words) - WORDS + 1))
        if any(run in known for run in runs):
            found.append(row)
    return found


def main() -> None:
    """Print both ways and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--words", type=int, default=60)
    given = parser.parse_args()
    texts = make_texts(given.rows, given.words, seed=1)
    questions = make_texts(660, 60, seed=2) + texts[:: max(1, given.rows // 50)]
    items = tuple(Reference(str(k), text) for k, text in enumerate(questions))
    benchmark = References("bench.jsonl", "", "text", items)

    started = time.process_time()
    ours = find_overlaps(texts, [benchmark])
    fast = time.process_time() - started
    started = time.process_time()
    theirs = plain_overlaps(texts, questions)
    slow = time.process_time() - started
    assert [hit.row for hit in ours] == theirs
    print(f"overlap, {given.rows:,} texts x {len(questions)} questions: ", end="")
    print(f"{fast:.2f} s CPU; plain Python {slow:.2f} s; ratio {slow / fast:.1f}x")

    examples = [
        Example(f"u{k}", (Turn("user", t), Turn("assistant", t * 3)), "m", k + 1, 0.5, 0)
        for k, t in enumerate(texts)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plain.jsonl"
        started = time.process_time()
        with path.open("w") as handle:
            for example in examples:
                turns = [{"role": t.role, "content": t.content} for t in example.turns]
                handle.write(json.dumps({"id": example.id, "messages": turns}) + "\n")
        plain = time.process_time() - started
        for form in FORMATS:
            path = Path(folder) / form.file
            started = time.process_time()
            form()(examples, path)
            used = time.process_time() - started
            size = path.stat().st_size / 1e6
            print(
                f"{form.name}: {used:.2f} s CPU, {size:.0f} MB, {given.rows / used:,.0f} rows/s; "
                f"{used / plain:.2f} x a bare json.dumps loop"
            )


if __name__ == "__main__":
    main()

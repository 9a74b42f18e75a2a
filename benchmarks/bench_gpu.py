"""Everything that a graphics card speeds up, in one go, with the card's name; under eight minutes.

    python benchmarks/bench_gpu.py                    # on a card: 3B shapes, bf16, length 2048
    python benchmarks/bench_gpu.py --parts finetune   # one part of it
    python benchmarks/bench_gpu.py --small            # tiny shapes on any device: does it run?

Every line has a figure, the baseline of the same run, and what was aimed at:

- full and LoRA fine-tuning at Llama-3.2-3B's shape against a plain ``transformers.Trainer``
  (``bench_finetune.py``: random weights, random tokens, lengths of instruction data);
- SelectIT and IFD against the published loop, one text at a time (``bench_scoring.py``), with a
  model of Llama-3.2-1B's shape;
- MiniLM over 100,000 made-up texts against batches in the order of the texts.

A part that does not end in its time is stopped and said so; the others still run. One round each:
what varies from round to round is measured by the script of the part.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import bench_finetune
import bench_landscape
import bench_scoring
import numpy as np

LIMIT_S = {"finetune": 270, "scoring": 110, "embed": 90}
"""Part -> seconds that it may take; together under eight minutes."""
MFU = {"full": 0.45, "lora": 0.40}
PLAIN = 1.5
LOOP = 10.0
EMBED_S = 30.0
TEXTS = 100_000


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    ours: str
    baseline: str
    ratio: float | None
    aim: str
    met: bool | None
    """None: no aim is set for this device."""


def finetune(small: bool) -> list[Figure]:
    """Both ways of training, ours beside the plain trainer."""
    name = "small" if small else "llama-3.2-3b"
    case = {
        "name": name,
        "rows": 4 if small else 32,
        "longest": 64 if small else 2048,
        "steps": 3 if small else 8,
        "batching": "auto",
        "compile": False,
    }
    out = []
    with tempfile.TemporaryDirectory() as folder:
        bench_finetune.write_model(name, Path(folder))
        for mode in ("full", "lora"):
            asked = {**case, "folder": folder, "mode": mode}
            if small:  # in this process, which has everything loaded
                sides = {
                    side: bench_finetune.measure({**asked, "side": side, "seed": 0})
                    for side in ("ours", "plain")
                }
            else:
                sides = bench_finetune.compare(asked, rounds=1)
            out += _trained(f"{name} {mode}", mode, sides)
    return out


def _trained(label: str, mode: str, sides: Mapping[str, Mapping[str, Any]]) -> list[Figure]:
    ours, plain = sides["ours"], sides["plain"]
    ratio = ours["tokens_per_s"] / plain["tokens_per_s"]
    speed, base = (f"{side['tokens_per_s']:,.0f} tokens/s" for side in (ours, plain))
    share = ours["mfu"]
    known = share is not None
    shown = f"{share:.1%}" if known else "no peak is known"
    base_share = f"{plain['mfu']:.1%}" if known else ""
    return [
        Figure(
            f"{label}, {ours['batching']} ({ours['attention']}), {ours['memory_gib']:.1f} GiB",
            *(speed, base, ratio, f"{PLAIN} x", ratio >= PLAIN if known else None),
        ),
        Figure(
            f"{label}, MFU",
            *(shown, base_share, None, f"{MFU[mode]:.0%}", share >= MFU[mode] if known else None),
        ),
    ]


def scoring(small: bool) -> list[Figure]:
    """SelectIT and IFD beside the loop that is published."""
    shape = "tiny" if small else "1b"
    count = 2 if small else 48
    cases = (bench_scoring.Case("selectit", shape), bench_scoring.Case("ifd", shape))
    out = []
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            found = bench_scoring.measure(case, count, 1, Path(folder))
            seconds = found["seconds"]
            out.append(
                Figure(
                    f"{case.label}, {count} texts, differ by {found['largest_difference']:.0e}",
                    f"{seconds['ours']:.2f} s",
                    f"{seconds['baseline']:.2f} s",
                    found["ratio"],
                    f"{LOOP:.0f} x",
                    found["ratio"] >= LOOP if found["device"] == "cuda" else None,
                )
            )
    return out


def embed(small: bool) -> list[Figure]:
    """The sentence encoder over many texts, and a twentieth of them in the order of the file."""
    import torch

    from crowdselect.landscape import embed as product
    from crowdselect.landscape.sentence_model import BUNDLED, MiniLM

    count = 16 if small else TEXTS
    texts = bench_landscape.synthetic_texts(count)
    encoder = MiniLM(batch_size=64 if small else 512)
    product(texts[:8], encoder)  # loads the model
    with tempfile.TemporaryDirectory() as folder:
        spent, vectors = bench_landscape.timed(lambda: product(texts, encoder, Path(folder)))
    part = max(16, count // 20)
    model = bench_landscape.plain_model()
    base, plain = bench_landscape.timed(
        lambda: np.vstack([model.encode(texts[i : min(i + 64, part)]) for i in range(0, part, 64)])
    )
    apart = float(np.abs(plain - vectors[:part]).max())
    rate, base_rate = count / spent.wall, part / base.wall
    return [
        Figure(
            f"{BUNDLED}, {count:,} texts on {model.device}, differ by {apart:.0e}",
            f"{spent.wall:.1f} s ({rate:,.0f} texts/s)",
            f"{base_rate:,.0f} texts/s",
            rate / base_rate,
            f"{EMBED_S:.0f} s",
            spent.wall <= EMBED_S if torch.cuda.is_available() and not small else None,
        )
    ]


PARTS: dict[str, Callable[[bool], list[Figure]]] = {
    "finetune": finetune,
    "scoring": scoring,
    "embed": embed,
}


def apart(part: str, limit_s: float) -> list[Figure]:
    """A part in a process of its own, so that its memory is free again; stopped at its limit."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(part, there))
    process.start()
    there.close()
    try:
        if here.poll(limit_s):
            return list(here.recv())
        said = f"stopped after {limit_s:g} s"
    except EOFError:
        said = "failed: its error is above"
    finally:
        process.terminate()
        process.join()
    return [Figure(part, said, "", None, "", False)]


def _send(part: str, there: Connection) -> None:
    there.send(PARTS[part](False))


def device() -> dict[str, Any]:
    """What was measured on, and with which libraries."""
    import torch
    import transformers

    facts: dict[str, Any] = {
        "device": "CPU (no figure here is a graphics card's)",
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        facts |= {"device": card.name, "memory_gib": round(card.total_memory / 2**30, 1)}
    return facts


def show(figures: Sequence[Figure]) -> None:
    """Rows of a Markdown table, as docs/benchmarks.md holds them."""
    for f in figures:
        ratio = "" if f.ratio is None else f"{f.ratio:.2f} x"
        met = {True: "met", False: "**missed**", None: "not judged here"}[f.met]
        print(f"| {f.what} | {f.ours} | {f.baseline} | {ratio} | {f.aim} | {met} |", flush=True)


def main(arguments: Sequence[str] | None = None) -> list[Figure]:
    """Run the parts, print the table and, last, everything as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--small", action="store_true", help="tiny shapes, in this process")
    chosen = parser.parse_args(arguments)
    facts = device()
    if not (chosen.small or "memory_gib" in facts):
        raise SystemExit("No graphics card is visible here; --small tries the script on a CPU.")
    print(" · ".join(f"{key} {value}" for key, value in facts.items()))
    print("\n| what | crowdselect | baseline | ratio | aim | |\n|---|---|---|---|---|---|")
    began = time.perf_counter()
    found: list[Figure] = []
    for part in chosen.parts:
        figures = PARTS[part](True) if chosen.small else apart(part, LIMIT_S[part])
        show(figures)
        found += figures
    spent = time.perf_counter() - began
    print(f"\n{spent:.0f} s")
    print(json.dumps({**facts, "seconds": round(spent), "figures": [asdict(f) for f in found]}))
    return found


if __name__ == "__main__":
    main()

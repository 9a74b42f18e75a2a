"""The script for a graphics card runs whole in a small form on a CPU, and judges nothing there."""

import importlib
import json
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("bench_gpu")


def test_every_part_runs_on_a_cpu_and_none_is_called_met(bench, capsys):
    import torch

    if torch.cuda.is_available():
        pytest.skip("a graphics card is visible: run benchmarks/bench_gpu.py itself")
    found = bench.main(["--small"])
    told = [figure.what for figure in found]
    for part in ("small full", "small lora", "selectit", "ifd", "minilm"):
        assert any(part in what for what in told), part
    assert {figure.met for figure in found} == {None}
    # The two ways score and embed alike, or the comparison would be of different work.
    assert all(float(what.rsplit(" ", 1)[1]) < 1e-4 for what in told if "differ by" in what)
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert document["device"].startswith("CPU")
    assert len(document["figures"]) == len(found)


def test_without_a_card_it_says_so(bench, monkeypatch):
    monkeypatch.setattr(bench, "device", lambda: {"device": "CPU"})
    with pytest.raises(SystemExit, match="No graphics card"):
        bench.main([])


def test_a_part_that_does_not_end_is_stopped_and_said_so(bench):
    (figure,) = bench.apart("scoring", 0.2)
    assert (figure.ours, figure.met) == ("stopped after 0.2 s", False)

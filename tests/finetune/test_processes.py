"""Runs in processes of their own: several at once, on a full disk, from the command line."""

import json
import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from crowdselect import files, jobs
from crowdselect.cli import main
from crowdselect.errors import InputError
from crowdselect.finetune import FinetuneConfig, create, output_model, read_run
from crowdselect.finetune.checkpoints import MARKER
from crowdselect.finetune.launch import SHIPPED, accelerate_file, command
from crowdselect.finetune.plan import make_plan
from crowdselect.settings import open_workspace
from tests.crowds import write_jsonl

from .conftest import chat, stop_and_read_state


def settings(model, data, **options):
    base = {"data": str(data), "model": str(model), "preset": "demo", "max_steps": 8}
    return FinetuneConfig(**{**base, "log_steps": 1, "burst_steps": 0, **options})


@pytest.fixture(scope="module")
def alone(tmp_path_factory, base_model):
    """Rows that fill no whole number of steps, and what one process makes of them."""
    folder = tmp_path_factory.mktemp("alone")
    rows = [{"messages": chat(i, 2 if i % 8 == 0 else 1)} for i in range(39)]
    data = write_jsonl(folder / "uneven.jsonl", rows)
    path = create(open_workspace(folder / "workspace"), settings(base_model, data))
    assert jobs.run_here(path) == "done", read_run(path).error
    return data, read_run(path)


def same_losses(path, one, told=()):
    assert read_run(path).state == "done", read_run(path).error
    two = read_run(path)
    assert [p.loss for p in two.curve] == pytest.approx([p.loss for p in one.curve], rel=2e-5)
    assert two.final_loss == pytest.approx(one.final_loss, rel=2e-5)
    assert two.notes == (*one.notes, *told)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("zero", ["zero2", "zero3"])
def test_deepspeed_gives_the_losses_of_one_process(workspace, base_model, alone, zero):
    if find_spec("deepspeed") is None:
        pytest.skip("deepspeed is not installed")
    data, one = alone
    spread = {"launcher": "accelerate", "processes": 2, "accelerate_config": zero}
    path = create(workspace, settings(base_model, data, micro_batch=4, **spread))
    jobs.run_here(path)
    plan = files.read_json(path / "plan.json")["budget"]
    assert (plan["micro_batch"], plan["accumulate"]) == (4, 2)
    same_losses(path, one)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_sharded_weights_give_the_same_losses_also_after_a_cancel(workspace, base_model, alone):
    """FSDP2: checkpoints and the model are gathered from both processes."""
    from transformers import AutoModelForCausalLM

    data, one = alone
    spread = {"launcher": "accelerate", "processes": 2, "accelerate_config": "fsdp2"}
    path = create(workspace, settings(base_model, data, save_steps=2, **spread))
    assert stop_and_read_state(path, 3) == "cancelled", read_run(path).error
    assert read_run(path).step < 8
    AutoModelForCausalLM.from_pretrained(output_model(path).path)
    jobs.run_here(path)
    same_losses(path, one)
    whole, shared = (
        AutoModelForCausalLM.from_pretrained(output_model(view).path).state_dict()
        for view in (one.path, path)
    )
    for name, weights in whole.items():
        torch.testing.assert_close(shared[name], weights, atol=1e-5, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_machines_give_the_losses_of_one_process_at_the_same_global_batch(
    workspace, base_model, alone
):
    """Both on this host: the job starts the first, the command that it notes the second.

    Through accelerate's own launcher over gloo, in micro batches, with a short last step.
    """
    data, one = alone
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spread = {"launcher": "accelerate", "accelerate_config": "ddp", "processes": 2, "machines": 2}
    options = settings(base_model, data, micro_batch=4, main_port=port, **spread)
    path = create(workspace, options)
    said = "Start on machine 1: "

    def second_machine():
        while not (notes := [n for n in read_run(path).notes if n.startswith(said)]):
            time.sleep(0.05)
        subprocess.run(shlex.split(notes[0].removeprefix(said)), check=False, capture_output=True)

    thread = threading.Thread(target=second_machine, daemon=True)
    thread.start()
    jobs.run_here(path)
    thread.join()
    same_losses(path, one, told=[n for n in read_run(path).notes if n.startswith(said)])


def test_zero_without_deepspeed_is_told_before_the_start(workspace, base_model, data_file):
    if find_spec("deepspeed") is not None:
        pytest.skip("deepspeed is installed")
    spread = {"launcher": "accelerate", "processes": 2, "accelerate_config": "zero3"}
    path = create(workspace, settings(base_model, data_file, **spread))
    assert jobs.run_here(path) == "failed"
    assert read_run(path).error[1] == "pip install deepspeed"


def test_the_shipped_configurations_are_what_accelerate_reads():
    from accelerate.commands.config.config_args import load_config_from_file

    kinds = {name: load_config_from_file(str(accelerate_file(name))) for name in SHIPPED}
    assert kinds["ddp"].distributed_type == "MULTI_GPU"
    assert kinds["fsdp2"].distributed_type == "FSDP"
    assert kinds["fsdp2"].fsdp_config["fsdp_version"] == 2
    assert kinds["zero2"].deepspeed_config["zero_stage"] == 2
    assert kinds["zero3"].deepspeed_config["zero_stage"] == 3
    with pytest.raises(InputError, match="nonsense"):
        accelerate_file("nonsense")


def test_the_command_for_several_machines_names_each_of_them(base_model, data_file, tmp_path):
    options = {"processes": 4, "machines": 2, "main_address": "10.0.0.1", "batch_size": 4}
    for launcher, words in (
        ("accelerate", ["--num_machines=2", "--machine_rank=1", "--main_process_ip=10.0.0.1"]),
        ("torchrun", ["--nnodes=2", "--node_rank=1", "--nproc_per_node=2"]),
    ):
        plan, _ = make_plan(settings(base_model, data_file, launcher=launcher, **options))
        start = command(plan, tmp_path, owner=0, machine_rank=1)
        assert set(words) <= set(start)
        assert start[-2:] == [str(tmp_path), "0"]


FULL_DISK = """
import json, sys, threading, time
from pathlib import Path
from crowdselect import jobs
from crowdselect.finetune import FinetuneConfig, create, output_model, read_run
from crowdselect.settings import open_workspace

disk, options, marker = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
path = create(open_workspace(disk / "workspace"), FinetuneConfig(**options))
filler = disk / "filler"

def fill():
    while not (path / "checkpoints" / "checkpoint-10" / marker).exists():
        time.sleep(0.001)
    with filler.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(bytes(1 << 16))
        except OSError:
            pass

threading.Thread(target=fill, daemon=True).start()
first = jobs.run_here(path)
view = read_run(path)
whole = output_model(path).path.name
filler.unlink()
second = jobs.run_here(path)
steps = [p.step for p in read_run(path).curve]
print(json.dumps([first, view.error, whole, second, steps == list(range(1, 41))]))
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_full_disk_is_named_and_the_run_goes_on_once_there_is_room(
    tmp_path, base_model, data_file
):
    """On a real file system of 16 MB, filled up while the run is under way."""
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a small file system of their own")
    disk, script = tmp_path / "disk", tmp_path / "run.py"
    disk.mkdir()
    script.write_text(FULL_DISK)
    options = settings(base_model, data_file, max_steps=40, save_steps=10).model_dump(mode="json")
    mounted = f'mount -t tmpfs -o size=16M none {disk} && exec "$@"'
    out = subprocess.run(
        [
            *("unshare", "-rm", "sh", "-c", mounted, "sh"),
            *(sys.executable, str(script), str(disk), json.dumps(options), MARKER),
        ],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert out.returncode == 0, out.stderr[-3000:]
    first, error, whole, second, complete = json.loads(out.stdout.splitlines()[-1])
    assert first == "failed"
    assert "is full" in error[0]
    assert "resume" in error[1]
    assert whole == "checkpoint-10"
    assert (second, complete) == ("done", True)


def test_the_command_line_estimates_trains_and_prints_one_document(
    workspace, base_model, tmp_path, capsys
):
    data = write_jsonl(tmp_path / "d.jsonl", [{"messages": chat(i)} for i in range(16)])
    start = ["finetune", str(data), "--model", str(base_model), "--full", "--preset", "demo"]
    start += [
        "--max-steps",
        "3",
        "-o",
        "burst_steps=0",
        "--workspace",
        str(workspace.root),
        "--json",
    ]
    assert main([*start, "--estimate", "-o", "burst_steps=2"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)  # whatever the trainer prints goes nowhere
    assert "train_runtime" not in said.err
    assert (found["steps"], found["refusal"], found["basis"]) == (3, None, "measured")
    assert list(workspace.runs.glob("*")) == []
    assert main(start) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["state"] == "done"
    assert "16 of 16 rows" in said.err
    assert "Memory" in said.err
    assert len(document["curve"]) == 3
    assert (Path(document["output"]["path"]) / "model.safetensors").exists()
    assert document["config"]["mode"] == "full"


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["--lora", "--full"], "exclude"),
        (["-o", "lora_rnk=3"], "lora_rank"),
        (["--method", "ppo"], "method"),
        (["--worse", "best"], "worse"),
        (["--preset", "dmeo"], "demo"),
    ],
)
def test_mistyped_command_lines_get_two_lines(workspace, base_model, tmp_path, capsys, more, word):
    data = write_jsonl(tmp_path / "d.jsonl", [{"messages": chat(i)} for i in range(4)])
    start = ["finetune", str(data), "--model", str(base_model), "-w", str(workspace.root)]
    assert main([*start, *more]) == 2
    said = capsys.readouterr().err
    assert word in said
    assert "Traceback" not in said


def test_neither_a_file_nor_a_selection(workspace, capsys):
    assert main(["finetune", "nothing", "--model", "m", "-w", str(workspace.root)]) == 2
    assert "neither a file nor a selection" in capsys.readouterr().err


def test_the_options_are_listed(capsys):
    assert main(["finetune-options", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["options"]["lora_rank"] == 16
    assert {p["name"] for p in document["presets"]} >= {"crowdselect-paper", "selectit-paper"}

"""One loader: safetensors only, foreign code never runs; an identity that misses nothing."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from crowdselect.errors import CrowdSelectError, InputError, NotFoundError
from crowdselect.lm.identity import model_identity
from crowdselect.lm.language_model import LanguageModel, ModelSpec
from crowdselect.lm.models import Checkpoint, LoadOptions, load_causal, load_config, load_tokenizer
from crowdselect.lm.rewards import load_reward_model
from tests.finetune.conftest import base_model, tokenizer

__all__ = ["base_model", "tokenizer"]


@pytest.fixture(scope="module")
def adapter(base_model: Path, tmp_path_factory: Any) -> Path:
    """A LoRA adapter whose weights are not zero, as peft saves one."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(3)
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base_model), LoraConfig(r=4, init_lora_weights=False)
    )
    folder = tmp_path_factory.mktemp("adapter")
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def copied(base_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base_model, tmp_path / "model"))


def logits(model: Any) -> Any:
    with torch.inference_mode():
        return model(input_ids=torch.arange(5, 20)[None]).logits


def test_an_adapters_folder_is_the_base_with_the_adapter_on_it(
    base_model: Path, adapter: Path
) -> None:
    together = load_causal(Checkpoint(str(base_model), str(adapter)))
    alone = load_causal(Checkpoint(str(adapter)))
    assert torch.equal(logits(together.model), logits(alone.model))
    assert not torch.allclose(logits(alone.model), logits(load_causal_plain(base_model)))
    # Losses are those of the adapted model, too, though they are read below its head.
    lm = LanguageModel(ModelSpec(model=str(adapter)))
    row = list(range(5, 20))
    with torch.inference_mode():
        want = alone.model(torch.tensor([row]), labels=torch.tensor([row])).loss.item()
    assert lm.losses([row], [1]).mean[0] == pytest.approx(want, abs=1e-5)


def load_causal_plain(folder: Path) -> Any:
    return load_causal(Checkpoint(str(folder))).model


def test_options_are_what_the_weights_are_held_in(base_model: Path) -> None:
    options = LoadOptions(dtype="bfloat16", device="cpu", attention="eager")
    loaded = load_causal(Checkpoint(str(base_model)), options)
    assert {p.dtype for p in loaded.model.parameters()} == {torch.bfloat16}
    assert loaded.model.config._attn_implementation == "eager"
    assert loaded.device == "cpu"
    assert not loaded.model.training


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt"])
def test_weights_in_a_pickle_are_refused_by_name(copied: Path, name: str) -> None:
    (copied / "model.safetensors").unlink()
    torch.save({}, copied / name)
    with pytest.raises(InputError, match=f"{name}, a pickle"):
        load_causal(Checkpoint(str(copied)))
    with pytest.raises(InputError, match=f"{name}, a pickle"):
        load_reward_model(str(copied))


@pytest.mark.parametrize("beside", [True, False], ids=["beside-the-base", "alone"])
def test_an_adapter_in_a_pickle_is_refused_by_name(
    base_model: Path, adapter: Path, copied: Path, tmp_path: Path, beside: bool
) -> None:
    """peft would open it: also where other safetensors lie beside it."""
    folder = copied if beside else tmp_path / "adapter"
    shutil.copytree(adapter, folder, dirs_exist_ok=True)
    (folder / "adapter_model.safetensors").unlink()
    torch.save({}, folder / "adapter_model.bin")
    for checkpoint in (Checkpoint(str(base_model), str(folder)), Checkpoint(str(folder))):
        with pytest.raises(InputError, match=r"adapter_model\.bin, a pickle"):
            load_causal(checkpoint)


class Person:
    """Standard input that notes whether it was looked at; a loader swallows what it raises."""

    asked = False

    def readline(self, *_: Any) -> str:
        self.asked = True
        return "y\n"

    read = readline


@pytest.mark.parametrize("what", ["model", "tokenizer", "config", "reward"])
def test_code_that_comes_with_a_model_is_refused_without_a_question(
    copied: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    person = Person()
    monkeypatch.setattr(sys, "stdin", person)
    (copied / "own.py").write_text("raise SystemExit('the code ran')\n")
    config = json.loads((copied / "config.json").read_text())
    config["model_type"] = "something-of-ones-own"
    config["auto_map"] = {
        "AutoConfig": "own.OwnConfig",
        "AutoModelForCausalLM": "own.OwnModel",
        "AutoModelForSequenceClassification": "own.OwnModel",
    }
    if what == "tokenizer":
        settings = json.loads((copied / "tokenizer_config.json").read_text())
        settings |= {"tokenizer_class": "OwnTokenizer",
                     "auto_map": {"AutoTokenizer": ["own.OwnTokenizer", None]}}  # fmt: skip
        (copied / "tokenizer_config.json").write_text(json.dumps(settings))
        (copied / "tokenizer.json").unlink()
    (copied / "config.json").write_text(json.dumps(config))
    load: dict[str, Any] = {
        "model": lambda: load_causal(Checkpoint(str(copied))),
        "tokenizer": lambda: load_tokenizer(Checkpoint(str(copied))),
        "config": lambda: load_config(Checkpoint(str(copied))),
        "reward": lambda: load_reward_model(str(copied)),
    }
    with pytest.raises(InputError, match="brings its own code") as refused:
        load[what]()
    assert "trust_remote_code" in refused.value.remedy
    assert not person.asked


def test_damaged_weights_are_one_sentence(copied: Path) -> None:
    (copied / "model.safetensors").write_bytes(b'\x08\0\0\0\0\0\0\0{"a":1}x')
    with pytest.raises(CrowdSelectError, match="cannot be loaded"):
        load_causal(Checkpoint(str(copied)))
    with pytest.raises(NotFoundError, match="There is no model folder"):
        load_causal(Checkpoint("./nowhere"))


CHANGES = {
    "config.json": '{"a": 1}',
    "generation_config.json": '{"temperature": 2.0}',
    "tokenizer.json": "{}",
    "tokenizer_config.json": "{}",
    "special_tokens_map.json": "{}",
    "chat_template.jinja": "{{ messages }}",
    "additional_chat_templates/tool_use.jinja": "{{ messages }}",
    "vocab.txt": "a",
    "merges.txt": "a b",
    "tokenizer.model": "spm",
    "modeling_own.py": "x = 1",
    "1_Pooling/config.json": "{}",
}


@pytest.mark.parametrize("name", [*CHANGES, "model.safetensors"])
def test_every_file_that_changes_an_answer_changes_the_identity(copied: Path, name: str) -> None:
    before = model_identity(str(copied))
    path = copied / name
    path.parent.mkdir(exist_ok=True)
    if name in CHANGES:
        path.write_text(CHANGES[name])
    else:  # one bit, size and time as they were
        stat, data = path.stat(), bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert model_identity(str(copied)) != before
    assert before


def test_a_copy_has_the_same_identity_and_a_note_beside_it_changes_none(
    base_model: Path, copied: Path
) -> None:
    (copied / "README.md").write_text("A note.")
    (copied / ".cache").mkdir()
    (copied / ".cache" / "x.json").write_text("{}")
    assert model_identity(str(copied)) == model_identity(str(base_model))
    assert model_identity("owner/name") == ""


def test_an_adapters_identity_changes_with_its_base(
    base_model: Path, adapter: Path, copied: Path, tmp_path: Path
) -> None:
    moved = Path(shutil.copytree(adapter, tmp_path / "adapter"))
    settings = json.loads((moved / "adapter_config.json").read_text())
    settings["base_model_name_or_path"] = str(copied)
    (moved / "adapter_config.json").write_text(json.dumps(settings))
    before = model_identity(str(moved))
    together = model_identity(str(base_model), str(adapter))
    assert len({before, together, model_identity(str(base_model))}) == 3
    (copied / "generation_config.json").write_text('{"temperature": 2.0}')
    assert model_identity(str(moved)) != before

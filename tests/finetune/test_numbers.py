"""FLOPs, memory and the choice of settings, against torch's own counters."""

import dataclasses

import pytest

from crowdselect.errors import MissingDependencyError
from crowdselect.finetune import FinetuneConfig
from crowdselect.finetune.budget import Memory, activation_bytes, plan, refusal, what_to_lower
from crowdselect.finetune.flops import flops_per_token, mfu, peak_flops, shape_of
from crowdselect.finetune.machine import Machine, choose
from crowdselect.finetune.models import lora_config

H200 = Machine("cuda", "NVIDIA H200", 1, 140 * 2**30, True, "flash_attention_2", liger=True)
OLD = Machine("cuda", "Tesla V100", 1, 32 * 2**30, False, None)
CPU = Machine("cpu", "CPU", 1, 16 * 2**30, True, None)
LLAMA_3B = {
    "hidden_size": 3072,
    "intermediate_size": 8192,
    "num_hidden_layers": 28,
    "num_attention_heads": 24,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "tie_word_embeddings": True,
}


def config(**options):
    return FinetuneConfig(data="d.jsonl", model="m", **options)


def small_llama(**more):
    from transformers import LlamaConfig

    options = {
        "hidden_size": 128,
        "intermediate_size": 384,
        "num_hidden_layers": 3,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "vocab_size": 512,
    }
    return LlamaConfig(**{**options, **more})


@pytest.fixture(scope="module")
def llama_3b():
    from transformers import LlamaConfig

    return shape_of(LlamaConfig(**LLAMA_3B))


def test_the_shape_of_llama_3b_is_the_published_one(llama_3b):
    assert llama_3b.parameters == 3_212_749_824
    assert llama_3b.matrix_parameters == pytest.approx(3.2126e9, rel=1e-3)  # the tied head counts
    assert llama_3b.layers * llama_3b.d_attention == 28 * 3072
    assert llama_3b.d_kv == 8 * 128
    # rank * (in + out) over q, k, v, o, gate, up, down
    one = 2 * (3072 + 3072) + 2 * (3072 + 1024) + 3 * (3072 + 8192)
    assert llama_3b.lora_parameters(16, ("all-linear",)) == 16 * 28 * one
    assert llama_3b.lora_parameters(8, ("q_proj", "v_proj")) == 8 * 28 * (6144 + 4096)


def small_gpt2(**more):
    from transformers import GPT2Config

    return GPT2Config(n_embd=128, n_layer=3, n_head=8, vocab_size=512, **more)


@pytest.mark.parametrize("kind", [small_llama, small_gpt2])
@pytest.mark.parametrize("mode", ["full", "lora"])
def test_flops_agree_with_torchs_counter(mode, kind):
    """Torch counts a full attention matrix where we halve for the causal mask: undone here."""
    import torch
    from peft import get_peft_model
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import AutoModelForCausalLM

    made = kind(attn_implementation="eager")
    shape, length = shape_of(made), 96
    model = AutoModelForCausalLM.from_config(made)
    lora = None
    if mode == "lora":
        options = config(mode="lora", lora_rank=8, lora_dropout=0.0)
        model = get_peft_model(model, lora_config(options))
        lora = shape.lora_parameters(8, ("all-linear",))
        assert lora == sum(p.numel() for p in model.parameters() if p.requires_grad)
    ids = torch.randint(0, 512, (2, length))
    with FlopCounterMode(display=False) as counter:
        model(input_ids=ids, labels=ids).loss.backward()
    causal_half = 3 * 2 * shape.layers * shape.d_attention * length
    expected = flops_per_token(shape, length, lora_parameters=lora) + causal_half
    assert counter.get_total_flops() / ids.numel() == pytest.approx(expected, rel=0.03)


def test_peaks_and_utilisation():
    assert peak_flops("NVIDIA H200") == peak_flops("NVIDIA H100 80GB HBM3") == 989e12
    assert peak_flops("NVIDIA H100 PCIe") == 756e12
    assert peak_flops("NVIDIA A100-SXM4-80GB") == 312e12
    assert peak_flops("NVIDIA L40S") == 362e12
    assert peak_flops("Radeon VII") is None
    assert mfu(10_000, 20e9, 989e12, 1) == pytest.approx(0.2022, abs=1e-4)
    assert mfu(10_000, 20e9, 989e12, 2) == pytest.approx(0.1011, abs=1e-4)
    assert mfu(10_000, 20e9, None, 1) is None


def small_opt(**more):
    from transformers import OPTConfig

    sizes = {"hidden_size": 128, "ffn_dim": 512, "num_attention_heads": 8}
    return OPTConfig(word_embed_proj_dim=128, vocab_size=512, **sizes, **more)


def small_gemma(**more):
    from transformers import Gemma3TextConfig

    sizes = {"hidden_size": 128, "intermediate_size": 384, "head_dim": 16, "vocab_size": 512}
    return Gemma3TextConfig(num_attention_heads=8, num_key_value_heads=4, **sizes, **more)


@pytest.mark.parametrize(
    ("kind", "mode", "checkpointing"),
    [
        (small_llama, "full", False),
        (small_llama, "full", True),
        (small_llama, "lora", False),
        (small_llama, "lora", True),
        (small_gpt2, "full", False),
        (small_opt, "full", False),
        (small_gemma, "full", False),
    ],
)
def test_activation_memory_is_what_autograd_keeps(kind, mode, checkpointing):
    """Bytes that autograd saves, each storage once, parameters left out: within a fifth."""
    import torch
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    made = kind(num_hidden_layers=6, attn_implementation="sdpa")
    options = config(mode=mode, preset="demo", lora_dropout=0.1)
    model = AutoModelForCausalLM.from_config(made)
    if mode == "lora":
        model = get_peft_model(model, lora_config(options))
        model.enable_input_require_grads()
    if checkpointing:
        model.gradient_checkpointing_enable()
    model.train()
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: dict[int, int] = {}

    def remember(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    ids = torch.randint(0, 512, (4, 64))
    with torch.autograd.graph.saved_tensors_hooks(remember, lambda t: t):
        hidden = model.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state
    setup = choose(options, CPU)
    shape = shape_of(made)
    expected = activation_bytes(shape, options, setup, checkpointing=checkpointing, length=64)
    if checkpointing:  # one layer is recomputed at a time, on top of what is kept
        whole = activation_bytes(shape, options, setup, checkpointing=False, length=64)
        expected -= whole / 6
    assert hidden.requires_grad
    assert sum(kept.values()) / ids.numel() == pytest.approx(expected, rel=0.2)


def test_a_gpu_gets_bf16_flash_and_padding_free_batches_without_a_word():
    made = choose(config(mode="full"), H200)
    assert (made.bf16, made.weights, made.attention) == (True, "float32", "flash_attention_2")
    assert (made.batching, made.kernels, made.optimizer) == (
        "padding-free",
        "liger",
        "adamw_torch_fused",
    )
    assert made.notes == ()
    assert choose(config(), H200).weights == "bfloat16"  # LoRA: the base is frozen
    assert choose(config(precision="bf16-weights", mode="full"), H200).weights == "bfloat16"
    assert choose(config(method="dpo"), H200).batching == "padded"


def test_every_fallback_is_one_line():
    made = choose(config(mode="full", kernels="hub"), OLD)
    assert (made.bf16, made.attention, made.batching) == (False, "sdpa", "padded")
    assert len(made.notes) == 3
    assert all("\n" not in note for note in made.notes)
    wish = config(attention="flash", kernels="liger", batching="packing")
    on_cpu = choose(wish, CPU)
    assert (on_cpu.attention, on_cpu.kernels, on_cpu.batching) == ("sdpa", "none", "packing")
    assert len(on_cpu.notes) == 3
    assert choose(config(), CPU).notes == ()


def test_four_bit_without_bitsandbytes_is_refused():
    with pytest.raises(MissingDependencyError, match="bitsandbytes"):
        choose(config(four_bit=True), CPU)
    able = dataclasses.replace(H200, bitsandbytes=True)
    assert choose(config(four_bit=True), able).weights == "bfloat16"


def test_steps_micro_batches_and_checkpointing_follow_rows_and_memory(llama_3b):
    options = config(mode="full", batch_size=32, max_length=2048)
    rows = {"rows": 1000, "tokens": 500_000, "longest": 2048}
    roomy = plan(options, llama_3b, choose(options, H200), H200, **rows)
    assert (roomy.steps_per_epoch, roomy.steps) == (32, 96)  # 1000 / 32, rounded up, three times
    assert roomy.micro_batch * roomy.accumulate == 32
    assert roomy.memory.total < 0.9 * H200.memory
    tight = dataclasses.replace(H200, memory=80 * 2**30)
    less = plan(options, llama_3b, choose(options, tight), tight, **rows)
    assert less.memory.total < 0.9 * tight.memory
    assert less.micro_batch < roomy.micro_batch or less.activation_checkpointing
    lora = config(batch_size=32, max_length=2048)
    cheap = plan(lora, llama_3b, choose(lora, H200), H200, **rows)
    assert cheap.memory.weights < roomy.memory.weights / 2
    fixed = config(max_steps=7, batch_size=32)
    assert plan(fixed, llama_3b, choose(fixed, H200), H200, **rows).steps == 7


def test_what_cannot_fit_is_refused_with_what_to_lower(llama_3b):
    options = config(mode="full", batch_size=8)
    small = dataclasses.replace(H200, memory=24 * 2**30)
    setup = choose(options, small)
    made = plan(options, llama_3b, setup, small, rows=100, tokens=50_000, longest=2048)
    problem, remedy = refusal(made, options, free_memory=small.memory, free_disk=10**13)
    assert "24.0 GiB are free" in problem
    assert "LoRA" in remedy
    assert refusal(made, options, free_memory=10**13, free_disk=10**13) is None
    problem, remedy = refusal(made, options, free_memory=10**13, free_disk=10**9)
    assert "954 MiB are free" in problem
    assert "keep_checkpoints" in remedy
    assert "micro_batch to 4" in what_to_lower(options, 8, True)
    assert "activation_checkpointing" in what_to_lower(options, 8, False)
    assert what_to_lower(config(max_length=256, four_bit=True), 1, True) == "Take a smaller model."


def test_full_weights_cost_sixteen_bytes_a_parameter(llama_3b):
    options = config(mode="full")
    setup = dataclasses.replace(choose(options, H200), bf16=False)
    made = plan(options, llama_3b, setup, H200, rows=10, tokens=100, longest=10).memory
    states = made.weights + made.gradients + made.optimizer
    assert states / llama_3b.parameters == pytest.approx(16)
    assert Memory(1, 2, 3, 4, 5).total == 15


def test_sharding_divides_what_it_shards(llama_3b):
    rows = {"rows": 1000, "tokens": 500_000, "longest": 1024}
    shared = {}
    for kind in ("ddp", "zero2", "zero3", "fsdp2"):
        options = config(
            mode="full", launcher="accelerate", processes=4, accelerate_config=kind, batch_size=8
        )
        shared[kind] = plan(options, llama_3b, choose(options, H200), H200, **rows).memory
    assert shared["ddp"].optimizer == 4 * shared["zero2"].optimizer == 4 * shared["zero3"].optimizer
    assert shared["ddp"].weights == shared["zero2"].weights == 4 * shared["fsdp2"].weights

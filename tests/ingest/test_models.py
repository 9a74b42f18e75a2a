"""Families and sizes: known by name, guessed from it, or unknown."""

import pytest

from crowdselect.ingest import describe_models, guess_model, known_models
from crowdselect.values import Model


def test_the_nineteen_models_of_the_generator_zoo_in_six_families():
    known = known_models().values()
    families: dict[str, list[float]] = {}
    for model in known:
        assert model.source == "known"
        assert model.size_b is not None
        families.setdefault(str(model.family), []).append(model.size_b)
    assert families == {
        "gemma-2": [2, 9, 27],
        "llama-3": [8, 70],
        "llama-3.1": [8, 70, 405],
        "phi-3": [3.8, 7, 14],
        "qwen2": [1.5, 7, 72],
        "qwen2.5": [3, 7, 14, 32, 72],
    }


def test_known_models_are_known_whatever_their_order_owner_and_case():
    names = ["Qwen/Qwen2.5-72B-Instruct", "gemma-2-2b-it", "META-LLAMA-3-8B-INSTRUCT"]
    found = describe_models(names)
    assert [(m.name, m.family, m.size_b, m.order, m.source) for m in found] == [
        (names[0], "qwen2.5", 72, 0, "known"),
        (names[1], "gemma-2", 2, 1, "known"),
        (names[2], "llama-3", 8, 2, "known"),
    ]


@pytest.mark.parametrize(
    ("name", "family", "size"),
    [
        ("Qwen3-0.6B", "qwen3", 0.6),
        ("Llama-3.2-1B-Instruct", "llama-3.2", 1),
        ("meta-llama/Llama-2-70b-chat-hf", "llama-2", 70),
        ("Mixtral-8x7B-Instruct-v0.1", "mixtral-v0.1", 56),
        ("vicuna-13b-v1.5", "vicuna-v1.5", 13),
        ("gemma-3-27b-it", "gemma-3", 27),
        ("pythia-410m", "pythia", 0.41),
        ("SmolLM2-1.7B-Instruct-GGUF", "smollm2", 1.7),
        ("OpenHermes-2.5-Mistral-7B", "openhermes-2.5-mistral", 7),
        ("falcon-40b-instruct", "falcon", 40),
        ("Some-30B-A3B-Instruct-2507", "some", 30),
        ("meta-some-8b-1124-Turbo-AWQ", "some-turbo", 8),
        ("some-2-1_6b-GPTQ-Int4", "some-2", 1.6),
        ("some-7b1", "some", 7.1),
    ],
)
def test_family_and_size_are_guessed_from_the_name(name: str, family: str, size: float):
    found = guess_model(name)
    assert (found.family, found.size_b, found.source) == (family, pytest.approx(size), "guessed")


@pytest.mark.parametrize("name", ["gpt-4o", "claude-2.1", "gemma-2", "b", "", "v1.5b2", "3-turbo"])
def test_a_name_that_does_not_say_stays_unknown(name: str):
    found = guess_model(name)
    assert (found.family, found.size_b, found.source) == (None, None, "unknown")


def test_a_guess_puts_sizes_of_one_family_together():
    names = [f"Qwen3-{s}B-Instruct" for s in (4, 8, 14)]
    assert len({guess_model(n).family for n in names}) == 1


def test_the_table_wins_and_its_order_counts():
    table = [Model("gpt", "openai", None), Model("gemma-2-2b-it", "mine", 5.0), Model("stranger")]
    found = describe_models(["x-7b", "gemma-2-2b-it", "gpt"], table)
    assert [(m.name, m.family, m.size_b, m.source, m.order) for m in found] == [
        ("gpt", "openai", None, "table", 0),
        ("gemma-2-2b-it", "mine", 5.0, "table", 1),
        ("x-7b", "x", 7.0, "guessed", 2),
    ]


FAMILIES = {
    (
        "llama-3.1",
        8,
    ): """meta-llama/Meta-Llama-3.1-8B-Instruct Llama-3.1-8B meta-llama-3.1-8b-instruct
        Meta-Llama-3.1-8B-Instruct-Turbo Llama-3.1-8B-Instruct-AWQ Meta-Llama-3.1-8B-Instruct-FP8
        Meta-Llama-3.1-8B-Instruct-GPTQ-INT4 Llama-3.1-8B-Instruct-bnb-4bit llama3.1:8b
        Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf llama3.1:8b-instruct-q4_0
        Meta-Llama-3.1-8B-Instruct-quantized.w4a16 org/Llama-3.1-8B-Instruct-unsloth-bnb-4bit""",
    (
        "qwen3",
        30.5,
    ): """Qwen/Qwen3-30B-A3B Qwen3-30B-A3B-Instruct-2507 Qwen3-30B-A3B-Thinking-2507-FP8
        Qwen3-30B-A3B-GPTQ-Int4 qwen3-30b-a3b Qwen3-30B-A3B-GGUF""",
    ("qwen3", 0.6): "Qwen3-0.6B Qwen3-0.6B-Base",
    ("olmo-2", 7): "allenai/OLMo-2-1124-7B-Instruct OLMo-2-1124-7B-DPO olmo-2-7b",
    ("olmo-2", 32): "OLMo-2-0325-32B-Instruct",
    ("stablelm-2", 1.6): "stabilityai/stablelm-2-1_6b stablelm-2-1.6b stablelm-2-1_6b-chat",
    ("llama-2", 70): """meta-llama/Llama-2-70b-chat-hf meta-llama__Llama-2-70b-hf
        TheBloke/Llama-2-70B-GGUF""",
    ("deepseek-v3", 671): "deepseek-ai/DeepSeek-V3 DeepSeek-V3-0324 deepseek-v3",
    ("deepseek-v2", 15.7): "DeepSeek-V2-Lite-Chat deepseek-v2-lite",
    ("gemma-3n", 8): "google/gemma-3n-E4B-it gemma-3n-e4b",
    ("mixtral", 46.7): """mistralai/Mixtral-8x7B-Instruct-v0.1 mixtral-8x7b
        Mixtral-8x7B-v0.1-AWQ""",
    ("mistral-small", 22): "Mistral-Small-Instruct-2409",
    ("mistral-small", 24): "Mistral-Small-24B-Instruct-2501",
    ("bloomz", 7.1): "bigscience/bloomz-7b1",
    ("gpt2", 1.5): "gpt2-xl openai-community/gpt2-xl",
    ("phi-2", 2.7): "microsoft/phi-2",
    ("phi-1.5", 1.3): "microsoft/phi-1_5 phi-1.5",
    ("phi-3.5", 3.8): "Phi-3.5-mini-instruct",
    ("phi-4", 14): "microsoft/phi-4 phi-4-bnb-4bit",
    ("phi-4", 3.8): "Phi-4-mini-instruct",
    ("command-r", 35): "CohereForAI/c4ai-command-r-v01",
    ("command-r-08-2024", 32): "c4ai-command-r-08-2024",
    ("llama-4", 109): "Llama-4-Scout-17B-16E-Instruct",
    ("qwen2.5", 7): "Qwen2.5-7B-Instruct-1M Qwen2.5-7B qwen2.5:7b",
}


@pytest.mark.parametrize(
    ("name", "family", "size"),
    [(name, *told) for told, names in FAMILIES.items() for name in names.split()],
)
def test_no_date_format_or_owner_splits_a_family(name: str, family: str, size: float):
    (found,) = describe_models([name])
    assert (found.family, found.size_b, found.source) == (family, size, "known")


def test_a_family_is_whole_whoever_packed_its_models():
    names = ["Qwen3-4B-AWQ", "Qwen/Qwen3-8B", "Qwen3-235B-A22B-Instruct-2507", "qwen3:0.6b"]
    found = describe_models(names)
    assert {m.family for m in found} == {"qwen3"}
    assert [m.size_b for m in found] == [4, 8, 235, 0.6]


def test_mixtures_count_whole_or_by_what_a_token_meets():
    names = [
        "Mixtral-8x7B",
        "Qwen3-30B-A3B",
        "DeepSeek-V3",
        "gpt-oss-120b",
        "Mine-30B-A3B",
        "opt-13b",
    ]
    assert [m.size_b for m in describe_models(names)] == [46.7, 30.5, 671, 117, 30, 13]
    active = describe_models(names, sizes="active")
    assert [m.size_b for m in active] == [12.9, 3.3, 37, 5.1, 3, 13]


@pytest.mark.parametrize("name", ["Llama-3-8B-Instruct-SimPO", "gemma-2-9b-it-WPO", "llama-38b"])
def test_somebody_elses_training_is_another_model(name: str):
    assert describe_models([name])[0].source == "guessed"

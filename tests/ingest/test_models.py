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
        ("Phi-3.5-mini-instruct", "phi-3.5", 3.8),
        ("OpenHermes-2.5-Mistral-7B", "openhermes-2.5-mistral", 7),
        ("falcon-40b-instruct", "falcon", 40),
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

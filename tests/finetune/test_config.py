"""Presets fill what is not given; contradictions are said in words."""

import pytest

from crowdselect.errors import CrowdSelectError, InputError, NotFoundError
from crowdselect.finetune import PRESETS, FinetuneConfig


def config(**options):
    return FinetuneConfig(data="d.jsonl", model="m", **options)


def test_the_papers_settings_are_the_published_ones():
    paper = config(preset="crowdselect-paper")
    assert (paper.learning_rate, paper.epochs, paper.batch_size) == (1e-5, 3.0, 2)
    assert (paper.schedule, paper.max_length, paper.mode) == ("cosine", 2048, "full")
    # 1,000 rows make 1,500 steps on one GPU, of which the published 150 warm up.
    assert paper.warmup * 3 * 1000 / paper.batch_size == pytest.approx(150)
    other = config(preset="selectit-paper")
    assert (other.learning_rate, other.batch_size, other.warmup) == (2e-5, 128, 0.03)
    assert (other.max_length, other.weight_decay) == (4096, 0.0)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_says_its_source_and_makes_a_config(name):
    assert len(PRESETS[name].source) > 20
    made = config(preset=name)
    assert made.preset == name
    assert FinetuneConfig.parse(made.model_dump(mode="json"), "again") == made


def test_method_and_mode_choose_the_preset_and_explicit_options_win():
    assert config().preset == "lora-default"
    assert config(mode="full").preset == "crowdselect-paper"
    assert config(method="simpo").gamma == PRESETS["simpo-default"].options["gamma"]
    assert config(preset="dpo-default").method == "dpo"
    assert config(preset="demo", learning_rate=3e-4).learning_rate == 3e-4
    assert config(preset="demo", method="orpo").beta == PRESETS["orpo-default"].options["beta"]


def test_ids_follow_the_options():
    assert config(seed=1).id == config(seed=1).id != config(seed=2).id


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"mode": "full", "four_bit": True}, "adapters"),
        ({"method": "dpo", "batching": "packing"}, "padded"),
        ({"method": "orpo", "chat_template": "none"}, "template"),
        ({"processes": 2}, "launcher"),
        ({"processes": 3, "machines": 2, "launcher": "torchrun", "batch_size": 3}, "machines"),
        ({"batch_size": 6, "micro_batch": 4}, "split"),
        ({"report_to": ("floppy",)}, "floppy"),
    ],
)
def test_contradictions_are_refused_with_a_remedy(options, word):
    with pytest.raises(CrowdSelectError, match=word) as caught:
        config(**options)
    assert caught.value.remedy


def test_wrong_values_name_the_field():
    with pytest.raises(InputError, match="learning_rate"):
        FinetuneConfig.parse({"data": "d", "model": "m", "learning_rate": -1}, "finetune")
    with pytest.raises(InputError, match="method"):
        FinetuneConfig.parse({"data": "d", "model": "m", "method": "ppo"}, "finetune")
    with pytest.raises(NotFoundError, match="demoo"):
        config(preset="demoo")


def test_a_run_written_before_there_was_an_origin_is_understood() -> None:
    told = {
        "id": "abc",
        "name": "best",
        "crowd": "zoo",
        "weights": {"difficulty": 1.0},
        "pairs": "9",
    }
    older = {"data": "d", "model": "m", "selection": "abc", "recipe": told}
    origin = FinetuneConfig.parse(older, "t").origin
    assert origin is not None
    assert (origin.selection, origin.name, origin.pairs) == ("abc", "best", "9")
    assert origin.recipe is not None
    assert (origin.recipe.crowd, origin.recipe.weights) == ("zoo", {"difficulty": 1.0})
    bare = {"data": "d", "model": "m", "selection": None, "recipe": None}
    assert FinetuneConfig.parse(bare, "t").origin is None


def test_a_card_tells_what_counts_beside_the_other_options() -> None:
    full = FinetuneConfig(data="d", model="m", mode="full", max_steps=7, weight_decay=0.0)
    assert full.on_card()["steps"] == 7
    assert full.on_card()["weight decay"] == 0.0
    assert not {"epochs", "LoRA rank", "beta", "DoRA"} & full.on_card().keys()
    adapter = FinetuneConfig(data="d", model="m", method="dpo", dora=True)
    assert {"epochs", "LoRA rank", "beta", "DoRA"} <= adapter.on_card().keys()


def test_how_a_run_is_done_tells_no_results_apart() -> None:
    one = FinetuneConfig(data="d", model="m").result_options()
    same = {"seed": 1, "micro_batch": 4, "log_steps": 3, "data": "e", "origin": {"selection": "s"}}
    assert FinetuneConfig(**{"data": "d", "model": "m", **same}).result_options() == one
    assert FinetuneConfig(data="d", model="m", learning_rate=1e-4).result_options() != one
    assert FinetuneConfig(data="d", model="m", method="dpo").result_options() != one

"""Small really trained models of the demo crowd, its base model and its reward model."""

from pathlib import Path

import pytest

from crowdselect.scoring import Sample
from crowdselect.settings import demo_data


def demo_model(name: str) -> Path:
    return demo_data() / "models" / name


@pytest.fixture(scope="session")
def small_model() -> Path:
    return demo_model("alder-32x2")


@pytest.fixture(scope="session")
def large_model() -> Path:
    return demo_model("alder-96x3")


@pytest.fixture(scope="session")
def base_model() -> Path:
    return demo_model("base-0.5m")


@pytest.fixture(scope="session")
def reward_model() -> Path:
    return demo_data() / "reward_model"


@pytest.fixture(scope="session")
def samples() -> list[Sample]:
    return [
        Sample(f"s{i}", f"Name {i} rivers and say why.", "Because of the water. " * (1 + i % 7))
        for i in range(23)
    ]

"""Budgets in characters and training tokens: what fits is taken; older recipes stay."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from crowdselect import pipeline
from crowdselect.errors import InputError
from crowdselect.pipeline.selection.size import fitting
from crowdselect.settings import Workspace, demo_data
from crowdselect.values import Recipe
from tests.crowds import write_jsonl


@pytest.fixture
def session(workspace: Workspace, tmp_path: Path) -> pipeline.Session:
    rng = np.random.default_rng(3)
    rows = [
        {"id": f"r{i:02d}", "instruction": f"Say {i}" + " please" * int(rng.integers(0, 9)),
         "output": "word " * int(rng.integers(1, 30)) + str(i)}
        for i in range(60)
    ]  # fmt: skip
    path = write_jsonl(tmp_path / "d.jsonl", rows)
    return pipeline.Session(pipeline.ingest(workspace, "sft", [path], name="d"))


def recipe(**given: object) -> Recipe:
    base = {"crowd": "d", "strategy": "random", "clusters": 0, "answer": "model:reference"}
    return Recipe.model_validate({**base, **given})


def chars(session: pipeline.Session, ids: np.ndarray) -> int:
    rows = session.crowd.rows(ids)
    asked = session.crowd.instruction_texts(rows)
    said = session.crowd.responses_of(np.zeros(session.crowd.n, dtype=np.int64))
    return sum(len(a) + len(said[row] or "") for a, row in zip(asked, rows.tolist(), strict=True))


@pytest.mark.parametrize("strategy", ["random", "length"])
@pytest.mark.parametrize("budget", [1, 500, 2_000, 10_000_000])
def test_characters_are_filled_and_not_exceeded(
    session: pipeline.Session, strategy: str, budget: int
) -> None:
    wanted = recipe(strategy=strategy, budget=budget, budget_in="chars")
    chosen = pipeline.select(session, wanted)
    assert chars(session, chosen.ids) <= budget
    assert chosen.report["size"]["chosen"] == chars(session, chosen.ids)
    n = len(chosen.ids)
    plain = pipeline.select(session, recipe(strategy=strategy, budget=n))
    assert list(plain.ids) == list(chosen.ids)
    if n < session.crowd.n:
        more = pipeline.select(session, recipe(strategy=strategy, budget=n + 1))
        assert chars(session, more.ids) > budget
    assert list(pipeline.select(pipeline.Session(session.crowd), wanted).ids) == list(chosen.ids)


def test_tokens_are_those_of_the_named_model_under_its_template(
    session: pipeline.Session,
) -> None:
    model = next(demo_data().glob("models/base*"))
    wanted = recipe(budget=2_000, budget_in="tokens", tokenizer=str(model))
    chosen = pipeline.select(session, wanted)
    tokenizer = AutoTokenizer.from_pretrained(str(model))
    said = session.crowd.responses_of(np.zeros(session.crowd.n, dtype=np.int64))
    total = 0
    for row in session.crowd.rows(chosen.ids).tolist():
        talk = [
            {"role": "user", "content": session.crowd.instruction_texts([row])[0]},
            {"role": "assistant", "content": said[row]},
        ]
        text = tokenizer.apply_chat_template(talk, tokenize=False)
        total += len(tokenizer(text, add_special_tokens=False)["input_ids"])
    assert chosen.report["size"]["chosen"] == total <= 2_000
    assert len(chosen.ids) > 5


def test_saved_and_read_again_it_is_the_same_recipe(
    workspace: Workspace, session: pipeline.Session
) -> None:
    wanted = recipe(budget=900, budget_in="chars")
    saved = pipeline.save_selection(workspace, pipeline.select(session, wanted))
    assert saved.recipe == wanted
    assert saved.id != recipe(budget=900).id
    assert "budget_in" not in recipe(budget=900).to_toml()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"budget_in": "tokens"}, "needs the tokenizer"),
        ({"tokenizer": "m"}, "is for a budget in tokens"),
        ({"budget_in": "chars", "budget": 0.5}, "is a whole number"),
    ],
)
def test_what_cannot_be_counted_is_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Recipe.parse({"crowd": "d", **given}, "The recipe")


def test_pins_that_do_not_fit_are_refused(session: pipeline.Session) -> None:
    wanted = recipe(budget=3, budget_in="chars", pins=("r01", "r02"))
    with pytest.raises(InputError, match=r"pinned alone is larger than 3 characters"):
        pipeline.select(session, wanted)


class _Given:
    def __init__(self, sizes: list[int]) -> None:
        self.sizes = sizes

    def of(self, rows: list[int]) -> int:
        return sum(self.sizes[row] for row in rows)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=300), st.integers(0, 4_000))
def test_of_a_ranking_exactly_the_rows_that_fit(sizes: list[int], budget: int) -> None:
    wanted = Recipe(crowd="d", budget=budget, budget_in="chars")
    count = fitting(wanted, _Given(sizes), lambda n: np.arange(min(n, len(sizes))))  # type: ignore[arg-type]
    assert sum(sizes[:count]) <= budget
    assert count == len(sizes) or sum(sizes[: count + 1]) > budget

"""Every active filter has a chip, and its removal removes exactly that filter."""

from crowdselect.dashboard.chips import chips_of, rules_of
from crowdselect.values import Filters, Range, Recipe

FULL = Filters(
    contains="python",
    lacks="x" * 60,
    clusters=(0, 1, 2, -1),
    ranges=(Range(metric="difficulty", low=0.5), Range(metric="length", low=1, high=2)),
    min_chars=10,
    max_chars=2000,
    lasso=((0, 0), (1, 0), (1, 1)),
    exact_duplicates="keep",
    near_duplicates=0.9,
)


def test_defaults_have_no_chip():
    assert chips_of(Filters()) == []


def test_every_chip_removes_its_own_filter():
    filters = FULL
    for _ in range(10):
        chips = chips_of(filters, ["sql", "maths", "poems"])
        if not chips:
            break
        filters = Filters.parse(filters.model_dump(mode="json") | chips[0].without, "test")
        assert len(chips_of(filters)) == len(chips) - 1
    assert filters == Filters()


def test_chips_are_short_words():
    labels = [c.label for c in chips_of(FULL, ["sql", "maths", "poems"])]
    assert labels[2] == "cluster sql, maths and 2 more"
    assert labels[3] == "difficulty from 0.5"
    assert all(len(label) < 60 for label in labels)


RULED = Recipe(
    crowd="c",
    gate={"kind": "quantile", "at_least": 0.5, "judge": "armo"},
    among="good",
    decontaminate=[
        {"name": "question.jsonl", "sha256": "0" * 64},
        {"name": "dev.csv", "sha256": "1" * 64},
    ],
)


def test_gate_and_question_files_have_chips():
    labels = [c.label for c in rules_of(RULED)]
    assert labels == [
        "gate: quantile from 0.5 (armo)",
        "nothing like question.jsonl",
        "nothing like dev.csv",
    ]
    assert rules_of(Recipe(crowd="c")) == []


def test_every_chip_of_a_rule_removes_its_own():
    recipe = RULED
    for left in (2, 1, 0):
        chips = rules_of(recipe)
        recipe = Recipe.parse(recipe.model_dump(mode="json") | chips[0].without, "test")
        assert [c.label for c in rules_of(recipe)] == [c.label for c in chips[1:]]
        assert len(chips) == left + 1
    assert recipe == Recipe(crowd="c")

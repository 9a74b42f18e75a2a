"""Comparisons: pairing, seeds, protocols, and the trap of choosing on the test."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from crowdselect.benchmark import compare
from crowdselect.errors import InputError

RNG = np.random.default_rng(11)
HARD = RNG.normal(size=60)
PAPER = {"id": "p", "strategy": "crowdselect",
         "weights": {"difficulty": 1.0, "separability": 1.0, "stability": 2.0}}  # fmt: skip


def test_better_is_named_first_and_seeds_are_pooled(finished: Any) -> None:
    views = [
        *(
            finished("good", HARD + 0.5 + RNG.normal(scale=0.1, size=60), run=f"g{k}")
            for k in "abc"
        ),
        *(finished("bad", HARD + RNG.normal(scale=0.1, size=60), run=f"b{k}") for k in "abc"),
    ]
    found = compare(views)
    only = found.benchmarks[0]
    assert [(s.name, s.seeds, s.questions) for s in only.scores] == [
        ("good", 3, 60),
        ("bad", 3, 60),
    ]
    assert only.differences[0].interval.value == pytest.approx(0.5, abs=0.1)
    assert only.differences[0].seeds == (3, 3)
    assert only.differences[0].scope == "strategies"
    assert not any("seed" in w for w in only.warnings)
    assert found.sentences()[0].startswith("verifiable: good is better than bad: +0.")


def seeds(finished: Any, name: str, lift: float, *shifts: float, **subject: Any) -> list[Any]:
    """Runs of one name whose training seeds shift every question alike."""
    return [
        finished(name, HARD + lift + s, run=f"{name}{k}", **subject) for k, s in enumerate(shifts)
    ]


def test_seeds_and_not_questions_decide_between_strategies(finished: Any) -> None:
    """Equal questions, seeds apart: a t test of the seeds, whatever the number of questions."""
    spread = (0.3, -0.3, 0.1)
    found = compare([*seeds(finished, "a", 0.2, *spread), *seeds(finished, "b", 0.0, *spread)])
    (difference,) = found.benchmarks[0].differences
    assert difference.p_value == pytest.approx(stats.ttest_ind(0.2 + np.array(spread), spread)[1])
    assert not difference.distinguishable()
    alone = compare([finished("a", HARD + 0.2, run="a9"), finished("b", HARD, run="b9")])
    (difference,) = alone.benchmarks[0].differences
    assert difference.distinguishable()
    assert "holds for these trained models, not for the strategies" in difference.sentence()
    assert "One training seed only of a, b" in alone.benchmarks[0].warnings[0]


def test_few_seeds_and_borrowed_spread_are_told(finished: Any) -> None:
    views = [*seeds(finished, "a", 1.0, 0.1, -0.1), finished("b", HARD, run="b")]
    single, few = compare(views).benchmarks[0].warnings
    assert "One training seed only of b" in single
    assert "its seeds are taken to vary as much" in single
    assert "Few training seeds of a (2)" in few


@pytest.mark.parametrize("how", ["adapter", "base"])
def test_the_base_model_is_no_strategy_with_seeds(finished: Any, how: str) -> None:
    tuned: dict[str, Any] = {"adapter": "tuned", "model": "base"} if how == "adapter" else {
        "base": "base", "model": "tuned",
    }  # fmt: skip
    views = [*seeds(finished, "a", 1.0, 0.1, -0.1, 0.2, **tuned), finished("b", HARD, model="base")]
    only = compare(views).benchmarks[0]
    lifts = np.array([1.1, 0.9, 1.2])
    assert only.differences[0].p_value == pytest.approx(stats.ttest_1samp(lifts, 0).pvalue)
    assert only.warnings == ()


def test_a_question_or_two_decide_nothing(finished: Any) -> None:
    for n in (1, 2):
        found = compare([finished("a", HARD[:n] + 9), finished("b", HARD[:n])])
        assert "cannot be told apart by" in found.sentences()[0]


def test_equals_at_five_questions_are_rarely_told_apart(finished: Any) -> None:
    """Ten differences between five models; the percentile bootstrap found one in half the cases."""
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(12):
        views = [finished(name, rng.normal(size=5)) for name in "abcde"]
        differences = compare(views).benchmarks[0].differences
        alarms += any(d.distinguishable() for d in differences)
    assert alarms <= 2


def test_a_rate_of_all_right_is_no_certainty(finished: Any) -> None:
    views = [finished("a", [1.0] * 20, bounds=(0, 1)), finished("b", [0.0] * 20, bounds=(0, 1))]
    first, second = compare(views).benchmarks[0].scores
    assert (first.interval.low, first.interval.high) == pytest.approx((0.025**0.05, 1))
    assert (second.interval.low, second.interval.high) == pytest.approx((0, 1 - 0.025**0.05))


def test_lower_is_better_turns_the_order(finished: Any) -> None:
    views = [
        finished("a", HARD, higher=False, benchmark="heldout-loss:x"),
        finished("b", HARD - 1, higher=False, benchmark="heldout-loss:x"),
    ]
    only = compare(views).benchmarks[0]
    assert [s.name for s in only.scores] == ["b", "a"]
    assert "b is better than a: -1" in only.differences[0].sentence()


def test_equals_are_not_distinguishable(finished: Any) -> None:
    views = [finished(n, HARD + RNG.normal(scale=2, size=60)) for n in "abc"]
    found = compare(views).benchmarks[0]
    assert len(found.differences) == 3
    assert all(d.adjusted_p >= d.p_value for d in found.differences)
    assert all("not distinguishable at 95%" in d.sentence() for d in found.differences)


def test_weights_are_those_of_the_tokens(finished: Any) -> None:
    weights = [1.0, 3.0]
    views = [
        finished("a", [1.0, 0.0], weights=weights),
        finished("b", [0.0, 0.0], weights=weights),
    ]
    assert compare(views).benchmarks[0].differences[0].interval.value == pytest.approx(0.25)


def test_protocols_are_never_mixed(finished: Any) -> None:
    views = [
        finished("a", HARD, options={"tokens": 48}),
        finished("b", HARD, options={"tokens": 9}),
    ]
    found = compare(views)
    assert found.benchmarks == ()
    assert found.refused[0].startswith("verifiable is not compared: the runs differ in options.tok")


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        ("cpu float32", "cuda bfloat16", True), ("cpu float32", "cpu float32", False),
        ("cpu float32", "", False), ("", "", False),
    ],
)  # fmt: skip
def test_device_and_dtype_are_part_of_what_may_be_compared(
    finished: Any, first: str, second: str, refused: bool
) -> None:
    """Of a served model, and of older results, neither is known."""
    names = {"a": first, "b": second}
    views = [finished(n, HARD, computed=dict(zip(("device", "dtype"), c.split(), strict=False)))
             for n, c in names.items()]  # fmt: skip
    found = compare(views)
    assert bool(found.refused) == refused
    if refused:
        assert "differ in computed.device, computed.dtype" in found.refused[0]
    else:
        assert len(found.benchmarks[0].differences) == 1


def test_results_of_the_shared_dtype_are_taken(finished: Any) -> None:
    cpu, gpu = {"device": "cpu", "dtype": "float32"}, {"device": "cuda", "dtype": "bfloat16"}
    views = [
        finished("a", HARD, run="ra", computed=cpu),
        finished("a", HARD + 5, run="ra", computed=gpu),
        finished("b", HARD - 1, run="rb", computed=cpu),
        finished("c", HARD - 2, run="rc"),
    ]
    found = compare(views)
    assert found.refused == ()
    means = {d.second: d.interval.value for d in found.benchmarks[0].differences if d.first == "a"}
    assert means == pytest.approx({"b": 1.0, "c": 2.0})


def test_the_newest_result_of_a_model_counts(finished: Any) -> None:
    old = finished("a", HARD - 9, run="ra")
    views = [old, finished("a", HARD, run="ra"), finished("b", HARD, run="rb")]
    scores = {s.name: s for s in compare(views).benchmarks[0].scores}
    newest = max(views[:2], key=lambda v: (v.started, v.id))
    assert scores["a"].seeds == 1
    assert scores["a"].interval.value == pytest.approx(newest.outcomes[0].headline.interval.value)


def test_a_quick_look_afterwards_does_not_stand_in_the_way(finished: Any) -> None:
    """The newest result of one side was made otherwise, but both have one that can be compared."""
    views = [
        finished("a", HARD, run="ra"),
        finished("b", HARD - 1, run="rb"),
        finished("a", HARD[:5], run="ra", options={"tokens": 9}),
    ]
    found = compare(views)
    assert found.refused == ()
    assert found.benchmarks[0].differences[0].interval.value == pytest.approx(1.0)


def test_failed_questions_are_left_out_and_counted(finished: Any) -> None:
    values: list[float | None] = [None, *HARD[1:].tolist()]
    only = compare([finished("a", values), finished("b", HARD)]).benchmarks[0]
    assert only.differences[0].questions == 59
    assert any("Failed items do not count" in w and "a 1" in w for w in only.warnings)


def test_settings_of_one_name_stay_apart(finished: Any) -> None:
    views = [finished("a", HARD, variant="1"), finished("a", HARD, variant="2", run="other")]
    assert [g.name for g in compare(views).groups] == ["a #1", "a #2"]


@pytest.mark.parametrize("count", [0, 1])
def test_one_model_is_no_comparison(finished: Any, count: int) -> None:
    with pytest.raises(InputError, match="two different models"):
        compare([finished("a", HARD) for _ in range(count)])


def test_nothing_in_common(finished: Any) -> None:
    views = [finished("a", HARD), finished("b", HARD, benchmark="other")]
    with pytest.raises(InputError, match="no finished benchmark in common"):
        compare(views)


def test_a_declared_choice_is_called_out(finished: Any) -> None:
    views = [
        finished("a", HARD, recipe={"id": "r1"}, chosen_on=["verifiable"]),
        finished("b", HARD, recipe={"id": "r2"}),
    ]
    text = "\n".join(compare(views).benchmarks[0].warnings)
    assert "a's recipe was chosen on verifiable (declared)" in text
    assert "The recipe of b is not declared as chosen on verifiable" in text
    assert "The best of 2 recipes is read off verifiable itself" in text


def test_the_papers_weights_are_called_out_on_its_benchmarks(finished: Any) -> None:
    for benchmark, said in (("mt-bench", True), ("verifiable", False)):
        views = [
            finished("a", HARD, benchmark=benchmark, recipe=PAPER),
            finished("b", HARD, benchmark=benchmark),
        ]
        text = "\n".join(compare(views).benchmarks[0].warnings)
        assert ("weights that the CrowdSelect paper picked" in text) == said


def test_a_base_model_is_no_recipe(finished: Any) -> None:
    views = [finished("a", HARD, recipe={"id": "r1"}), finished("base", HARD)]
    found = compare(views).benchmarks[0]
    assert found.optimism is None
    assert not any("read off" in w for w in found.warnings)

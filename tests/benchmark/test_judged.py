"""MT-Bench, Arena-Hard and AlpacaEval from answers to intervals, with real judges of every kind."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crowdselect import jobs
from crowdselect.benchmark import SubjectConfig, read_results
from crowdselect.errors import InputError
from crowdselect.lm.rewards import load_reward_model, score
from tests.benchmark.judge import Server, serve
from tests.crowds import write_jsonl

WORDS = ["red", "blue", "tree", "bird", "stone", "river", "cloud", "lamp"]


@pytest.fixture(scope="session")
def two_turns(tmp_path_factory: Any) -> Path:
    rows = [
        {"question_id": f"q{i}", "category": c, "turns": [f"Say in reverse: {w}", "Say it again"]}
        for i, (c, w) in enumerate(zip(["math", "writing", "stem", "writing"], WORDS, strict=False))
    ]
    rows[0]["references"] = ["der", "der der"]
    return write_jsonl(tmp_path_factory.mktemp("questions") / "two.jsonl", rows)


@pytest.fixture(scope="session")
def hard(tmp_path_factory: Any) -> tuple[Path, Path]:
    """Questions and the anchor's answers; the last question has none."""
    folder = tmp_path_factory.mktemp("hard")
    rows = [{"uid": f"h{i}", "prompt": f"Say in reverse: {w}"} for i, w in enumerate(WORDS)]
    anchors = [{"uid": f"h{i}", "messages": [{"content": w}]} for i, w in enumerate(WORDS[:-1])]
    return write_jsonl(folder / "q.jsonl", rows), write_jsonl(folder / "a.jsonl", anchors)


@pytest.fixture(scope="session")
def reward_model(base_model: Path, tokenizer: Any, tmp_path_factory: Any) -> Path:
    """A reward model with a random head on the tiny model's body."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    torch.manual_seed(1)
    config = AutoConfig.from_pretrained(base_model)
    config.num_labels = 1
    folder = tmp_path_factory.mktemp("reward-model")
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def judge(server: Server, **options: Any) -> dict[str, Any]:
    return {"model": "judge", "base_url": server.url, "retries": 1, **options}


def grader(number: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"text": f"Fine. [[{number % 9 + 1}]]"}


@pytest.fixture
def grading() -> Iterator[Server]:
    with serve(grader) as server:
        yield server


def test_mt_bench_asks_twice_per_question(
    benchmarked: Any, two_turns: Path, grading: Server
) -> None:
    view = benchmarked(f"mt-bench:questions={two_turns},max_new_tokens=4", judge=judge(grading))
    assert view.error is None
    outcome = view.outcomes[0]
    assert len(grading.asked) == 8
    assert outcome.headline.interval.value == pytest.approx(sum(range(2, 10)) / 8)
    assert {s.metric for s in outcome.scores} == {
        "grade (1 to 10)",
        "grade (1 to 10), turn 1",
        "grade (1 to 10), turn 2",
    }
    assert {s.category for s in outcome.scores} == {"", "math", "stem", "writing"}
    assert outcome.protocol["judge"] == {"kind": "server", "model": "judge"}
    assert outcome.protocol["inputs"]["prompts"] == "own prompt, not comparable"
    assert any("not comparable" in note for note in outcome.notes)
    assert any("Judging took: 8 requests" in note for note in outcome.notes)
    assert outcome.facts["judging"]["requests"] == 8
    asked = [m["content"] for body in grading.asked for m in body["messages"]]
    assert sum("der der" in text for text in asked) == 1, "references for math only, turn 2"
    assert sum("Say it again" in text for text in asked) == 4


@pytest.mark.parametrize(("reading", "mean", "failed"), [("verdict", 7.2, 3), ("fastchat", 7.0, 4)])
def test_nonsense_counts_as_a_failure_and_never_as_zero(
    benchmarked: Any, two_turns: Path, reading: str, mean: float, failed: int
) -> None:
    texts = ["[[8]]", "no idea", "[[11]]", "Rating: [[6]]", "", "[[8/10]]", "[[7]]", "[[7.]]"]
    with serve(lambda n, _: {"text": texts[n - 1]}) as server:
        view = benchmarked(
            f"mt-bench:questions={two_turns},max_new_tokens=4,reading={reading}",
            judge=judge(server, concurrency=1),
        )
    outcome = view.outcomes[0]
    assert outcome.headline.interval.value == pytest.approx(mean)
    assert outcome.failed == failed
    assert any(f"{failed} of 8 failed and do not count" in note for note in view.notes)
    assert sum("the judge: " in item.reason for item in outcome.items()) == failed


def test_what_a_judge_thinks_or_quotes_is_not_its_grade(benchmarked: Any, two_turns: Path) -> None:
    texts = [
        "<thinking>A [[2]] would be too low.</thinking>\nGood. [[7]]",
        "Perhaps [[2]], no.</think>\nClear answer. [[7]]",
        "A useless answer would get [[1]]; this one is far better. [[7]]",
        "Rating: [[ 7 ]]",
        "Rating: [[7/10]]",
        "**Grade: 7**",
        "So \\boxed{7}.",
        "<reasoning>[[1]]</reasoning>[[7]]",
    ]
    with serve(lambda n, _: {"text": texts[n - 1]}) as server:
        view = benchmarked(
            f"mt-bench:questions={two_turns},max_new_tokens=4", judge=judge(server, concurrency=1)
        )
    assert [item.value for item in view.outcomes[0].items()] == [7.0] * 8


def test_a_judge_that_dies_in_the_middle(benchmarked: Any, two_turns: Path) -> None:
    """The run fails with one clear line, and a resume asks only for what is missing."""
    alive = False

    def fragile(number: int, body: dict[str, Any]) -> dict[str, Any]:
        return grader(number, body) if alive or number <= 3 else {"hang_up": True}

    with serve(fragile) as server:
        given = judge(server, retries=0, concurrency=1)
        view = benchmarked(f"mt-bench:questions={two_turns},max_new_tokens=4", judge=given)
        assert view.state == "failed"
        assert "does not answer" in view.error[0]
        assert view.outcomes == ()
        before, alive = len(server.asked), True
        assert jobs.run_here(view.path) == "done"
        assert len(server.asked) - before == 5
    assert read_results(view.path).outcomes[0].failed == 0


def test_refused_verdicts_are_asked_for_again_at_a_resume(
    benchmarked: Any, two_turns: Path
) -> None:
    broken = True

    def once(number: int, body: dict[str, Any]) -> dict[str, Any]:
        return {"status": 400} if broken and number == 2 else grader(number, body)

    with serve(once) as server:
        view = benchmarked(f"mt-bench:questions={two_turns},max_new_tokens=4", judge=judge(server))
        assert (view.state, view.outcomes[0].failed) == ("done", 1)
        assert any("resume the run" in note for note in view.notes)
        broken = False
        jobs.run_here(view.path)
        assert len(server.asked) == 9
    assert read_results(view.path).outcomes[0].failed == 0


def test_a_judge_is_needed(benchmarked: Any) -> None:
    with pytest.raises(InputError, match="mt-bench needs a judge"):
        benchmarked("mt-bench")


def fair(_: int, body: dict[str, Any]) -> dict[str, Any]:
    """Prefers the longer answer by far; whoever comes first makes no difference."""
    text = body["messages"][-1]["content"]
    a, b = re.search(r"Answer of A:\n(.*)\n\nAnswer of B:\n(.*)\n\nExplain", text, re.S).groups()
    return {
        "text": "[[A=B]]" if len(a) == len(b) else "[[A>>B]]" if len(a) > len(b) else "[[B>>A]]"
    }


def test_arena_hard_plays_both_orders(benchmarked: Any, hard: tuple[Path, Path]) -> None:
    with serve(fair) as server:
        view = benchmarked(
            f"arena-hard:questions={hard[0]},anchor={hard[1]},max_new_tokens=6", judge=judge(server)
        )
    assert view.error is None
    outcome = view.outcomes[0]
    items = outcome.items()
    assert len(server.asked) == 14
    assert outcome.failed == 1
    assert [i.reason for i in items if i.value is None] == ["the anchor has no answer"]
    scores = {s.metric: s for s in outcome.scores}
    assert scores["verdict changed when swapped %"].interval.value == 0
    for item in items[:-1]:
        anchor = WORDS[int(item.question[1:])]
        expected = 50 if len(item.answer) == len(anchor) else 100 * (len(item.answer) > len(anchor))
        assert item.value == expected
    mean = sum(i.value * i.weight for i in items[:-1]) / sum(i.weight for i in items[:-1])
    assert outcome.headline.interval.value == pytest.approx(mean)


def test_a_verdict_in_a_thought_is_none(benchmarked: Any, hard: tuple[Path, Path]) -> None:
    said = ["<reasoning>[[A>>B]]? no</reasoning>[[A=B]]", "<reasoning>[[A>>B]], or"]
    with serve(lambda n, _: {"text": said[n % 2]}) as server:
        view = benchmarked(
            f"arena-hard:questions={hard[0]},anchor={hard[1]},max_new_tokens=2",
            judge=judge(server, concurrency=1),
        )
    reasons = {i.reason for i in view.outcomes[0].items() if i.value is None}
    endless = "the judge: its thoughts never came to an end; --max-tokens gives it more"
    assert reasons == {endless, "the other game failed", "the anchor has no answer"}


def test_arena_hard_with_a_judge_that_looks_at_the_order(
    benchmarked: Any, hard: tuple[Path, Path]
) -> None:
    """Always the first: half of the games each, every verdict changed, one game without one."""
    with serve(lambda n, _: {"text": "hm" if n == 1 else "[[A>B]]"}) as server:
        view = benchmarked(
            f"arena-hard:questions={hard[0]},anchor={hard[1]},max_new_tokens=2",
            judge=judge(server, concurrency=1),
        )
    outcome = view.outcomes[0]
    scores = {s.metric: s.interval.value for s in outcome.scores}
    assert scores["win rate %"] == 50
    assert scores["verdict changed when swapped %"] == 100
    assert scores["win rate %, Bradley-Terry as v0.1"] == pytest.approx(100 * 7 / 13)
    reasons = [i.reason for i in outcome.items() if i.value is None]
    assert len(reasons) == 3
    assert "the other game failed" in reasons


def test_alpaca_eval_by_log_probabilities(benchmarked: Any, hard: tuple[Path, Path]) -> None:
    """A judge that leans to its second answer: position cancels out only on average."""
    top = {"m": -0.9162907, "M": -0.5108256}
    with serve(lambda *_: {"text": "M", "finish": "length", "top": top}) as server:
        view = benchmarked(
            f"alpaca-eval:questions={hard[0]},anchor={hard[1]},max_new_tokens=4",
            judge=judge(server),
        )
    outcome = view.outcomes[0]
    values = [i.value for i in outcome.items() if i.value is not None]
    assert {round(v) for v in values} <= {40, 60}
    assert [s.metric for s in outcome.scores[:3]] == [
        "win rate %",
        "length-controlled win rate % (own)",
        "discrete win rate %",
    ]
    assert outcome.headline.interval.value == pytest.approx(sum(values) / len(values))


def test_alpaca_eval_without_log_probabilities(benchmarked: Any, hard: tuple[Path, Path]) -> None:
    suite = f"alpaca-eval:questions={hard[0]},anchor={hard[1]},max_new_tokens=2"
    with serve(lambda *_: {"text": "m"}) as server:
        weighted = benchmarked(suite, judge=judge(server)).outcomes[0]
        letters = benchmarked(f"{suite},weighted=false", judge=judge(server)).outcomes[0]
    assert weighted.failed == 8
    assert any("set weighted=false" in i.reason for i in weighted.items())
    assert letters.failed == 1
    assert {i.value for i in letters.items()} <= {0.0, 100.0, None}


def test_an_anchor_is_needed(benchmarked: Any, grading: Server) -> None:
    view = benchmarked("arena-hard", judge=judge(grading))
    assert "compares with an anchor, and none is given" in view.error[0]


def test_a_model_as_its_own_anchor_ties(
    benchmarked: Any, hard: tuple[Path, Path], base_model: Path, reward_model: Path
) -> None:
    given = {"kind": "reward", "model": str(reward_model)}
    view = benchmarked(
        f"arena-hard:questions={hard[0]},anchor={base_model},max_new_tokens=4",
        f"alpaca-eval:questions={hard[0]},anchor={base_model},max_new_tokens=4",
        judge=given,
    )
    assert view.error is None
    for outcome in view.outcomes:
        assert {i.value for i in outcome.items()} == {50.0}


def test_a_local_language_model_as_judge(
    benchmarked: Any, two_turns: Path, hard: tuple[Path, Path], base_model: Path
) -> None:
    """The tiny model grades nonsense: every verdict fails, and the run says so."""
    given = {"kind": "local", "model": str(base_model), "max_tokens": 4}
    view = benchmarked(
        f"mt-bench:questions={two_turns},max_new_tokens=2",
        f"alpaca-eval:questions={hard[0]},anchor={hard[1]},max_new_tokens=2",
        judge=given,
    )
    graded, preferred = view.outcomes
    assert graded.failed == 8
    assert preferred.headline.n + preferred.failed == 8


def test_rewards_do_not_depend_on_the_batch(reward_model: Path) -> None:
    model = load_reward_model(str(reward_model))
    texts = ["red", "red blue tree bird", "a much longer text of many words " * 3]
    ids = [model.tokenizer(t, add_special_tokens=False)["input_ids"] for t in texts]
    together = score(model, ids)
    assert together == pytest.approx([score(model, [row])[0] for row in ids], abs=1e-5)
    assert len({round(v, 4) for v in together}) == 3


def test_reward_score_and_mt_bench_by_reward(
    benchmarked: Any, two_turns: Path, reward_model: Path
) -> None:
    given = {"kind": "reward", "model": str(reward_model)}
    view = benchmarked(
        f"mt-bench:questions={two_turns},max_new_tokens=4",
        f"reward-score:path={two_turns},max_new_tokens=4",
        judge=given,
    )
    talk, single = view.outcomes
    assert talk.headline.metric == "reward"
    first = {i.question: i.value for i in talk.items() if i.details["turn"] == 1}
    for item in single.items():
        if item.category in ("math", "stem"):  # answered greedily in both
            assert item.value == pytest.approx(first[item.question], abs=1e-5)


def test_a_served_model_is_tested_without_its_weights(
    benchmarked: Any, hard: tuple[Path, Path]
) -> None:
    with serve(lambda *_: {"text": "one two three one two three one two three"}) as server:
        served = SubjectConfig(name="served", model="m", endpoint=server.url)
        view = benchmarked(f"response-style:path={hard[0]}", subject=served)
    assert view.error is None
    scores = {s.metric: s.interval.value for s in view.outcomes[0].scores}
    assert scores["words per answer"] == 9
    assert scores["share of repeated 4-grams"] == pytest.approx(3 / 6)
    assert scores["tokens per answer"] == 10
    assert scores["share unfinished"] == 0


def test_empty_answers_are_judged_and_counted(benchmarked: Any, two_turns: Path) -> None:
    with serve(lambda *_: {"text": ""}) as silent, serve(grader) as strict:
        served = SubjectConfig(name="silent", model="m", endpoint=silent.url)
        view = benchmarked(f"mt-bench:questions={two_turns}", subject=served, judge=judge(strict))
    outcome = view.outcomes[0]
    assert (outcome.empty, outcome.failed, outcome.headline.n) == (8, 0, 4)
    assert any("8 of 8 answers are empty" in note for note in view.notes)


def test_refused_answers_are_asked_for_again_at_a_resume(
    benchmarked: Any, hard: tuple[Path, Path]
) -> None:
    broken = True

    def picky(_: int, body: dict[str, Any]) -> dict[str, Any]:
        return {"status": 400} if broken and "blue" in str(body) else {"text": "x"}

    with serve(picky) as server:
        served = SubjectConfig(name="served", model="m", endpoint=server.url)
        view = benchmarked(f"response-style:path={hard[0]}", subject=served)
        assert (view.outcomes[0].failed, view.outcomes[0].headline.n) == (1, 7)
        broken = False
        jobs.run_here(view.path)
        assert len(server.asked) == 9
    assert read_results(view.path).outcomes[0].failed == 0

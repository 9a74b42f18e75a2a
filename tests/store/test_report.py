"""What the ingest report says about rewards that are missing."""

import pytest

from crowdselect.store.report import JudgeCount, _judge_oddities

LOOKS_EASIER = "a row that lacks its weak models looks easier than it is"


@pytest.mark.parametrize(("missing", "warns"), [(1, False), (10, False), (11, True), (500, True)])
def test_more_than_one_reward_in_a_hundred_missing_is_a_warning(missing: int, warns: bool) -> None:
    judge = JudgeCount(name="j", rewards=1000 - missing, missing=missing, models=4)
    (line,) = _judge_oddities(judge)
    assert line.startswith(f"Judge j: {missing} rewards are missing ({missing / 1000:.2%})")
    assert (LOOKS_EASIER in line) is warns


def test_no_missing_reward_is_no_line() -> None:
    assert _judge_oddities(JudgeCount(name="j", rewards=8, missing=0, models=4)) == []

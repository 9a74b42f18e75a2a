"""Every active filter has a chip, and its removal removes exactly that filter."""

from crowdselect.dashboard.chips import chips_of
from crowdselect.values import Filters, Range

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

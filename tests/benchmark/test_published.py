"""The published tables: every cell there, sources named, contradictions marked."""

import pytest

from crowdselect.benchmark import published_tables


def test_every_table_is_whole() -> None:
    """Rows per table = settings x models x two benchmarks."""
    frame = published_tables()["CrowdSelect (published)"]
    counts = frame.groupby("table").size().to_dict()
    assert counts == {
        "1": 3 * 8 * 2, "2": 4 * 8 * 2, "3, 14-17": 9 * 4 * 2, "4": 3 * 4 * 2, "7": 12 * 2,
        "8": 12 * 2, "9": 6 * 4 * 2, "10": 7 * 4 * 2, "11": 6 * 4 * 2, "12": 7 * 4 * 2,
        "9-12": 2 * 4 * 2, "13": 4 * 7 * 2, "18": 4 * 7 * 2, "19": 3 * 8 * 2,
    }  # fmt: skip
    keys = ["table", "model", "tuning", "setting", "benchmark"]
    assert not frame.duplicated(keys).any()


def test_scores_are_in_their_ranges() -> None:
    for frame in published_tables().values():
        assert frame["published"].all()
        assert (frame["source"].str.len() > 20).all()
        for benchmark, scores in frame.groupby("benchmark")["score"]:
            low, high = (1, 10) if benchmark == "mt-bench" else (0, 100)
            assert scores.between(low, high).all()


@pytest.mark.parametrize(
    ("table", "model", "setting", "benchmark", "score"),
    [
        ("2", "Llama-3.2-3B-Instruct", "multiple metrics", "mt-bench", 7.103),
        ("2", "Llama-3.2-3B-Instruct", "multiple metrics", "arena-hard", 85.5),
        ("2", "Qwen2.5-3B-Instruct", "base", "arena-hard", 81.6),
        ("13", "Qwen2.5-3B", "random; 10 clusters", "mt-bench", 7.162),
        ("19", "Llama-3.2-3B-Instruct", "reward high; by ArmoRM", "arena-hard", 83.2),
        ("8", "Llama-3.2-3B", "difficulty high; 250 samples", "mt-bench", 4.731),
    ],
)
def test_cells_by_hand(table: str, model: str, setting: str, benchmark: str, score: float) -> None:
    frame = published_tables()["CrowdSelect (published)"]
    cell = frame[
        (frame["table"] == table)
        & (frame["model"] == model)
        & (frame["setting"] == setting)
        & (frame["benchmark"] == benchmark)
    ]
    assert cell["score"].tolist() == [score]


def test_single_seeds_of_the_same_run_agree_between_tables() -> None:
    """Table 2's single metrics are rows of Table 11; where they are not, a note says so."""
    frame = published_tables()["CrowdSelect (published)"]
    small = frame[frame["tuning"] == "full"]
    for model in small["model"].unique():
        for mine, theirs in (("difficulty", "difficulty high"), ("stability", "stability high")):
            rows = small[(small["model"] == model) & (small["benchmark"] == "mt-bench")]
            two = rows[(rows["table"] == "2") & (rows["setting"] == mine)]["score"].item()
            eleven = rows[(rows["table"] == "11") & (rows["setting"] == theirs)]["score"].item()
            assert two == pytest.approx(eleven, abs=0.002)


def test_selectit_is_marked_as_third_party() -> None:
    frame = published_tables()["SelectIT (published by others)"]
    assert "third-party" in frame["source"].iloc[0]
    assert frame.loc[frame["setting"] == "SelectIT", "score"].max() == 47.90

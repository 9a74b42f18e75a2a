"""Score columns: written, imported, read by id, and refused where they make no sense."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crowdselect.errors import InputError, NotFoundError
from crowdselect.settings import Workspace
from crowdselect.store import Crowd, ScoreInfo, open_crowd
from tests.crowds import small_crowd, write_csv, write_jsonl, write_parquet


@pytest.fixture
def crowd(workspace: Workspace, tmp_path: Path) -> Crowd:
    return small_crowd(workspace, tmp_path)


def test_scores_come_back_in_row_order_with_reasons(workspace: Workspace, crowd: Crowd):
    frame = pd.DataFrame(
        {
            "id": ["q2", "q0", "elsewhere"],
            "selectit": [2.5, np.nan, 9.0],
            "selectit__reason": [None, "no digits", None],
            "digit_mass": [0.9, 0.0, 1.0],
        }
    )
    info = ScoreInfo(name="selectit", title="SelectIT", source="a tiny model", made={"k": 5})
    crowd.write_scores("selectit", frame, info)
    again = open_crowd(workspace, "small")
    assert again.score_columns()["digit_mass"].made == {"k": 5}
    np.testing.assert_array_equal(
        again.read_scores("selectit").columns["selectit"], [np.nan, np.nan, 2.5, np.nan]
    )
    assert list(again.read_scores("digit_mass").columns) == ["digit_mass"]
    assert again.score_reasons("selectit") == {"q0": "no digits"}
    with pytest.raises(NotFoundError, match="no scores called 'selectitt'"):
        again.read_scores("selectitt")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_persons_file_is_joined_by_id(crowd: Crowd, tmp_path: Path, kind: str):
    rows = [
        {"uuid": "q3", "mine": 1.5, "level": 2, "who": "me"},
        {"uuid": "q1", "mine": None, "level": 3, "who": "me"},
        {"uuid": "gone", "mine": 2.5, "level": 4, "who": "you"},
    ]
    write = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}[kind]
    imported = crowd.import_scores(write(tmp_path / f"my scores.{kind}", rows))
    assert imported.columns == ("mine", "level")
    assert (imported.matched, imported.unmatched, imported.without) == (2, 1, 2)
    assert imported.missing == {"mine": 1, "level": 0}
    assert "1 rows name an id that is not here" in imported.summary
    values = crowd.read_scores("mine").columns["mine"]
    np.testing.assert_array_equal(values, [np.nan, np.nan, np.nan, 1.5])


def test_columns_and_the_id_column_can_be_told(crowd: Crowd, tmp_path: Path):
    file = write_csv(tmp_path / "s.csv", [{"key2": "q0", "a": 1, "b": 2}])
    crowd.import_scores(file, id_column="key2", columns=["b"], name="chosen")
    assert list(crowd.score_columns()) == ["b"]


def test_text_where_a_number_should_be_names_row_column_and_value(crowd: Crowd, tmp_path: Path):
    rows = [{"id": "q0", "mine": "1"}, {"id": "q1", "mine": "2"}, {"id": "q2", "mine": "high"}]
    with pytest.raises(InputError, match=r"s\.csv, row 3, column 'mine'.*'high'"):
        crowd.import_scores(write_csv(tmp_path / "s.csv", rows))
    assert crowd.score_columns() == {}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": "x", "a": 1}], "none of its 1 ids"),
        (
            [{"id": "q0", "a": 1}, {"id": "q0", "a": 2}],
            "row 2: the id 'q0' is that of s.csv, row 1",
        ),
        ([{"id": "q0", "a@b": 1}], "cannot be the name"),
        ([{"id": "q0", "word": "text"}], "column 'word' should hold a number"),
        ([{"nothing": "q0", "a": 1}], "no column 'id'"),
    ],
)
def test_files_that_make_no_sense_are_refused(crowd: Crowd, tmp_path: Path, rows, message: str):
    with pytest.raises(InputError, match=message):
        crowd.import_scores(write_csv(tmp_path / "s.csv", rows))
    assert crowd.score_columns() == {}


def test_two_files_cannot_have_the_same_column(crowd: Crowd, tmp_path: Path):
    file = write_csv(tmp_path / "s.csv", [{"id": "q0", "a": 1}])
    crowd.import_scores(file, name="first")
    crowd.import_scores(file, name="first")  # again is fine: it replaces
    with pytest.raises(InputError, match="'first' have a column 'a' already"):
        crowd.import_scores(file, name="second")

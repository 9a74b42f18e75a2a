"""A data frame becomes a crowd, a selection a data frame and a data set, and nothing is lost."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import crowdselect as cs
from crowdselect.errors import InputError
from crowdselect.export import FORMATS
from crowdselect.pipeline import list_all
from crowdselect.pipeline.selection.session import Session
from crowdselect.settings import Workspace
from tests.crowds import MODELS, tidy_rows, write_csv

FRAME = pd.DataFrame(tidy_rows(8))
TABLE = pd.DataFrame({"model": MODELS, "family": ["tiny", "tiny", None], "size_b": [1, 7, None]})
RECIPE = cs.Recipe(crowd="mine", encoder="lsa", clusters=2, budget=5, weights={"difficulty": 1.0})


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    return cs.open_workspace(tmp_path_factory.mktemp("frames"))


@pytest.fixture(scope="module")
def crowd(workspace) -> cs.Crowd:
    return cs.Crowd.from_frame(FRAME, "mine", workspace=workspace, models=TABLE)


def test_a_frame_is_the_crowd_that_its_file_is(crowd, workspace, tmp_path) -> None:
    file = write_csv(tmp_path / "rows.csv", tidy_rows(8))
    TABLE.to_csv(tmp_path / "m.csv", index=False)
    options = {"models": str(tmp_path / "m.csv")}
    of_file = cs.ingest(workspace, "table", [file], name="file", options=options)
    assert crowd.fingerprint == of_file.fingerprint
    assert crowd.models == of_file.models
    back = pd.concat(crowd.answers(row).assign(id=crowd.ids[row]) for row in range(crowd.n))
    wanted = FRAME.set_index(["id", "model"])[["response", "reward"]].sort_index()
    found = back.set_index(["id", "model"])[["response", "reward"]].sort_index()
    assert found.to_dict() == wanted.to_dict()


def test_index_arrow_and_wide_tables_are_read_too(workspace) -> None:
    wide = FRAME.pivot(index=["id", "instruction"], columns="model", values="reward")
    of_pandas = cs.Crowd.from_frame(wide, "wide", workspace=workspace.root)
    again = pa.Table.from_pandas(wide.reset_index(), preserve_index=False)
    of_arrow = cs.Crowd.from_frame(again, "wide", workspace=workspace, replace=True)
    assert of_pandas.n == 8
    assert of_pandas.fingerprint == of_arrow.fingerprint
    np.testing.assert_array_equal(np.sort(of_arrow.rewards().values[3]), [30.0, 31.0, 32.0])


def test_what_is_no_table_is_refused_and_a_crowd_is_not_replaced(crowd, workspace) -> None:
    mixed = FRAME.assign(kind=[{"a": 1}, "text"] * 12)
    with pytest.raises(InputError, match="kind"):
        cs.Crowd.from_frame(mixed, "mixed", workspace=workspace)
    with pytest.raises(InputError, match="cannot be read as a table"):
        cs.Crowd.from_frame(7, "seven", workspace=workspace)
    with pytest.raises(InputError, match="mine"):
        cs.Crowd.from_frame(FRAME, "mine", workspace=workspace)
    assert "mixed" not in workspace.crowd_names()


def test_a_selection_as_a_frame_is_what_is_saved(crowd, workspace) -> None:
    selection = cs.select(crowd, RECIPE)
    frame = selection.to_frame()
    assert list(frame["rank"]) == [1, 2, 3, 4, 5]
    assert list(frame["id"]) == list(selection.ids)
    assert list(frame["reason"]) == list(selection.reasons)
    np.testing.assert_allclose(frame.filter(like="contribution_").sum(axis=1), frame["score"])
    saved = cs.save_selection(workspace, selection)
    pd.testing.assert_frame_equal(
        pq.read_table(saved.path / "selection.parquet").to_pandas(), frame
    )
    loaded = cs.load_selection(workspace, saved.id)
    pd.testing.assert_frame_equal(loaded.to_frame(), frame)


@pytest.mark.parametrize("form", [form.name for form in FORMATS])
def test_a_selection_as_a_dataset_is_what_is_exported(crowd, workspace, form) -> None:
    selection = cs.select(crowd, RECIPE)
    cs.save_selection(workspace, selection)
    options = {"margin": 0.01} if FORMATS[form].pairs else {}
    made = selection.to_dataset(form, **options)
    written = cs.export(workspace, selection, form, options=options).data
    if written.suffix == ".parquet":
        rows = pq.read_table(written).to_pylist()
    else:
        text = written.read_text("utf-8")
        rows = [json.loads(line) for line in text.splitlines()] if written.suffix == ".jsonl" else (
            json.loads(text))  # fmt: skip
    assert made.to_list() == rows
    assert len(rows) == 5
    loaded = cs.load_selection(workspace, selection.recipe.id)
    assert loaded.to_dataset(form, **options).to_list() == rows


def test_options_of_the_format_and_listings_go_the_same_way(crowd) -> None:
    made = cs.select(crowd, RECIPE).to_dataset("messages", system="Be brief.")
    assert made[0]["messages"][0] == {"role": "system", "content": "Be brief."}
    with pytest.raises(InputError):
        cs.select(crowd, RECIPE).to_dataset("messages", sistem="x")
    listed = list_all(Session(crowd), RECIPE).selection()
    assert len(listed.to_dataset()) == crowd.n
    assert set(listed.to_frame()["id"]) == set(crowd.ids)


def test_a_selection_made_by_hand_says_what_it_lacks() -> None:
    nothing = np.array([], dtype=object)
    made = cs.Selection(RECIPE, nothing, np.array([]), {}, np.array([], int), (), ())
    assert made.to_frame().empty
    with pytest.raises(InputError, match="knows no crowd"):
        made.to_dataset()

"""Before an ingest: what each column would be taken for, and saying otherwise."""

import pandas as pd

from crowdselect import pipeline
from crowdselect.dashboard.crowd.preview import SEEN, answers, frame_of
from crowdselect.dashboard.wording import on_page
from crowdselect.ingest import SOURCES
from crowdselect.plans import ColumnUse
from tests.dashboard.test_workflows import click

TABLE = """,id,instruction,model,response,reward,worker_id
0,q0,Add 1 and 2.,a-1b,3,1.0,7
1,q0,Add 1 and 2.,b-2b,4,0.0,7
2,q1,Name a river.,a-1b,Rhine,0.5,8
3,q1,Name a river.,b-2b,Nile,0.25,8
"""


def test_the_preview_says_what_each_column_is_taken_for_and_writes_nothing(
    workspace, open_page, tmp_path
):
    at = open_page(workspace, "crowd")
    assert at.selectbox(key="ingest source").value == "table"
    at.file_uploader[0].upload("mine.csv", TABLE.encode())
    click(at, "Preview")
    assert not at.exception
    assert not at.error
    _, report = at.session_state[SEEN]
    meanings = {c.column: c.meaning for c in report.columns}
    assert meanings["reward"] == "judge"
    assert meanings["worker_id"] == "kept"
    assert any("2 instructions, 2 models" in c.value.replace("\\", "") for c in at.caption)
    assert workspace.crowd_names() == []
    assert not list(workspace.root.rglob("*preview*"))
    at.text_input(key="ingest.table.judge_columns").set_value("reward, worker_id")
    at.text_input(key="ingest name").set_value("mine")
    click(at, "Ingest")
    assert not at.exception
    assert pipeline.open_crowd(workspace, "mine").judges == ("reward", "worker_id")
    assert SEEN not in at.session_state


def test_what_a_person_changes_becomes_the_formats_options():
    before = frame_of(
        [
            ColumnUse("key", "kept"),
            ColumnUse("prompt_id", "id"),
            ColumnUse("reward", "judge"),
            ColumnUse("worker", "left out", why="whole numbers"),
            ColumnUse("note", "left out"),
        ]
    )
    assert answers(before, before) == {}

    def changed(**meanings: str) -> pd.DataFrame:
        after = before.copy()
        for column, meaning in meanings.items():
            after.loc[after["column"] == column, "taken for"] = meaning
        return after

    assert answers(before, changed(worker="judge")) == {
        "judge_columns": "reward, worker",
        "leave_out": "note",
    }
    assert answers(before, changed(key="id", prompt_id="kept")) == {"id_column": "key"}
    assert answers(before, changed(reward="left out")) == {
        "judge_columns": "",
        "leave_out": "reward, worker, note",
    }


def test_what_cannot_be_read_is_said_on_page(workspace, open_page):
    at = open_page(workspace, "crowd")
    at.file_uploader[0].upload("mine.csv", b"prompt,response,helpful\na,b,1\nc,d,2\n")
    click(at, "Preview")
    said = at.error[0].value.replace("\\", "")
    assert "“model column”" in said
    assert "under Options of this format" in said
    assert "--" not in said
    words = on_page("Use the source: crowdselect ingest magpie FILE", "table")
    assert words == f"Use the source: the format “{SOURCES['magpie'].title}”"

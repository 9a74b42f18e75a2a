"""Building a crowd: whole or not at all, and nothing that a person added is ever lost."""

import json
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crowdselect.errors import CancelledError, InputError
from crowdselect.ingest import SOURCES
from crowdselect.settings import Workspace, open_workspace
from crowdselect.store import CrowdBuilder, ScoreInfo, open_crowd
from crowdselect.store.connect import bytes_of, quote
from tests.crowds import (
    MODELS,
    by_id,
    ingest,
    left_behind,
    small_crowd,
    tidy_rows,
    write_csv,
    write_parquet,
)  # fmt: skip


def test_a_crowd_is_not_overwritten_without_being_asked(workspace: Workspace, tmp_path: Path):
    crowd = small_crowd(workspace, tmp_path)
    with pytest.raises(InputError, match="a crowd called 'small' already") as caught:
        small_crowd(workspace, tmp_path)
    assert "--replace" in caught.value.remedy
    assert open_crowd(workspace, "small").fingerprint == crowd.fingerprint


def test_a_failed_ingest_leaves_nothing_and_spares_the_older_crowd(
    workspace: Workspace, tmp_path: Path
):
    crowd = small_crowd(workspace, tmp_path)
    rows = tidy_rows()
    rows[5]["reward"] = "great"
    with pytest.raises(InputError, match="row 6"):
        ingest(workspace, [write_csv(tmp_path / "bad.csv", rows)], replace=True)
    assert left_behind(workspace) == [crowd.path]
    assert open_crowd(workspace, "small").fingerprint == crowd.fingerprint


def test_cancelling_stops_the_query_and_leaves_nothing(workspace: Workspace, tmp_path: Path):
    rows = [{**r, "response": "words " * 300} for r in tidy_rows(3_000)]
    file = write_parquet(tmp_path / "long.parquet", rows)
    calls = []

    def stop(done: int, total: int | None, label: str = "") -> None:
        calls.append((done, total, label))
        raise CancelledError

    with (
        pytest.raises(CancelledError),
        CrowdBuilder(workspace, "stopped") as builder,
    ):
        SOURCES["table"]()([str(file)], builder, stop)
    assert len(calls) == 1
    assert "long.parquet" in calls[0][2]
    assert left_behind(workspace) == []


def test_progress_counts_up_to_every_cell(workspace: Workspace, tmp_path: Path):
    seen = []
    with CrowdBuilder(workspace, "seen") as builder:
        file = write_csv(tmp_path / "t.csv", tidy_rows())
        SOURCES["table"]()([str(file)], builder, lambda d, t, label="": seen.append((d, t, label)))
    done = [d for d, t, label in seen if label.startswith("reading")]
    assert done == sorted(done)
    assert done[-1] == 12
    assert {t for _, t, label in seen if label.startswith("reading")} == {12}


def test_a_block_that_loads_nothing_is_an_error(workspace: Workspace):
    with pytest.raises(InputError, match="nothing to load"), CrowdBuilder(workspace, "empty"):
        pass
    assert left_behind(workspace) == []


def test_what_people_and_models_added_survives_a_re_ingest(workspace: Workspace, tmp_path: Path):
    crowd = ingest(workspace, [write_csv(tmp_path / "old.csv", tidy_rows(4))])
    crowd.notes.append("pin", "q0")
    crowd.notes.append("comment", "q3", "odd")
    frame = pd.DataFrame({"id": ["q0", "q3"], "mine": [1.0, 3.0]})
    crowd.write_scores("mine", frame, ScoreInfo(name="mine"))
    crowd.add_judge("second", pd.DataFrame({"id": ["q0", "q3"], MODELS[2]: [5.0, 6.0]}))
    crowd.set_models(
        pd.DataFrame({"model": MODELS, "family": ["a", "a", "b"], "size_b": [1, 9, 3]})
    )
    (crowd.cache / "vectors.npy").write_bytes(b"costly")

    newer = [r for r in tidy_rows(6)[::-1] if r["id"] != "q3"]  # other order, q3 gone
    again = ingest(workspace, [write_csv(tmp_path / "new.csv", newer)], replace=True)
    assert again.n == 5
    assert again.notes.state().pins == ("q0",)
    scores = again.read_scores("mine").columns["mine"]
    assert scores[again.row_of["q0"]] == 1.0
    assert np.isnan(scores).sum() == 4
    assert again.judges == ("reward", "second")
    assert by_id(again, "second") == {("q0", MODELS[2]): 5.0}
    assert {m.name: (m.family, m.size_b, m.source) for m in again.models} == {
        MODELS[0]: ("a", 1, "table"), MODELS[1]: ("a", 9, "table"), MODELS[2]: ("b", 3, "table"),
    }  # fmt: skip
    assert (again.cache / "vectors.npy").read_bytes() == b"costly"
    assert again.report.carried == (
        "2 notes were carried over by id; 1 of their ids are no longer there.",
        "1 score columns were carried over by id; 1 of their ids are no longer there.",
        "Judges carried over by id and model: second.",
        "Family and size of 3 models were carried over.",
    )
    assert set(again.report.carried) <= set(again.report_lines())


def test_a_models_table_given_anew_wins_over_what_was_confirmed(
    workspace: Workspace, tmp_path: Path
):
    small_crowd(workspace, tmp_path).set_models(
        pd.DataFrame({"model": MODELS, "family": ["a"] * 3, "size_b": [1, 2, 3]})
    )
    table = write_csv(tmp_path / "m.csv", [{"model": MODELS[0], "family": "new", "size_b": 8}])
    again = ingest(
        workspace, [write_csv(tmp_path / "s.csv", tidy_rows())], replace=True, models=str(table)
    )
    assert [(m.family, m.size_b) for m in again.models] == [("new", 8), ("a", 2), ("a", 3)]


def test_an_open_crowd_goes_on_showing_what_it_opened(workspace: Workspace, tmp_path: Path):
    old = small_crowd(workspace, tmp_path)
    rows = [{**r, "response": "new", "reward": -1.0} for r in tidy_rows(2)]
    new = ingest(workspace, [write_csv(tmp_path / "n.csv", rows)], replace=True)
    assert old.n == 4
    assert old.rewards().values[3, 2] == 32.0
    assert old.answers(3)["response"][0].startswith("answer 3")
    with pytest.raises(InputError, match="ingested anew meanwhile"):
        old.add_judge("late", pd.DataFrame({"id": ["q3"], MODELS[0]: [1.0]}))
    assert open_crowd(workspace, "small").judges == ("reward",)
    assert new.n == 2
    assert set(new.answers(0)["response"]) == {"new"}


def test_the_report_is_saved_as_json_and_read_back(workspace: Workspace, tmp_path: Path):
    crowd = small_crowd(workspace, tmp_path)
    saved = json.loads((crowd.path / "report.json").read_text())
    assert saved["instructions"] == 4
    assert saved["files"] == ["small.csv"]
    assert not (crowd.path / "scratch").exists()
    assert str(tmp_path) not in (crowd.path / "report.json").read_text()


def test_killed_in_the_middle_the_workspace_stays_usable(workspace: Workspace, tmp_path: Path):
    crowd = small_crowd(workspace, tmp_path)
    rows = [{**r, "response": "words " * 300} for r in tidy_rows(4_000)]
    file = write_parquet(tmp_path / "long.parquet", rows)
    code = textwrap.dedent(
        """
        import sys
        from crowdselect.ingest import SOURCES
        from crowdselect.settings import open_workspace
        from crowdselect.store import CrowdBuilder
        def wait(done, total, label=""):
            print("reading", flush=True)
            import time; time.sleep(60)
        with CrowdBuilder(open_workspace(sys.argv[1]), "small", replace=True) as builder:
            SOURCES["table"]()([sys.argv[2]], builder, wait)
        """
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(workspace.root), str(file)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "reading\n"
    assert len(left_behind(workspace)) == 2
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert open_crowd(workspace, "small").fingerprint == crowd.fingerprint
    open_workspace(workspace.root)  # the next start removes what was left
    assert left_behind(workspace) == [crowd.path]
    assert _again(workspace, tmp_path).n == 4


def _again(workspace: Workspace, tmp_path: Path):
    return ingest(workspace, [write_csv(tmp_path / "again.csv", tidy_rows())], replace=True)


def test_memory_and_names():
    assert bytes_of("2GB") == 2_000_000_000
    assert bytes_of("1.5 GiB") == 1_610_612_736
    assert bytes_of(123) == 123
    with pytest.raises(InputError, match="not a size"):
        bytes_of("lots")
    assert quote('a"b') == '"a""b"'


def test_a_small_memory_limit_is_enough_for_rows_in_any_order(workspace: Workspace, tmp_path: Path):
    rows = [{**r, "response": f"{k} words " * 400} for k, r in enumerate(tidy_rows(3_000))]
    file = write_parquet(tmp_path / "t.parquet", rows[::2] + rows[1::2])
    with CrowdBuilder(workspace, "tight", memory="400MB", threads=1) as builder:
        SOURCES["table"]()([str(file)], builder)
    crowd = open_crowd(workspace, "tight")
    assert crowd.report.responses == 9_000
    answers = crowd.answers(crowd.row_of["q2999"]).set_index("model")["response"]
    assert answers[MODELS[2]] == rows[-1]["response"]

"""Two at once: nothing that was told as saved is lost, and nobody is told done who was not."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from crowdselect.errors import InputError
from crowdselect.pipeline import list_selections
from crowdselect.settings import Workspace
from crowdselect.store import ScoreInfo, open_crowd
from crowdselect.store.report import read_report
from tests.crowds import ingest, tidy_rows, write_csv

NOTING = """
import sys
from crowdselect.settings import open_workspace
from crowdselect.store import open_crowd
workspace = open_workspace(sys.argv[1])
crowd = open_crowd(workspace, "small")
for i in range(int(sys.argv[3])):
    if i % 7 == 0:
        crowd = open_crowd(workspace, "small")
    crowd.notes.append("comment", "q1", f"{sys.argv[2]} {i}")
    print(i, flush=True)
"""

INGESTING = """
import sys
from pathlib import Path
from crowdselect.errors import CrowdSelectError
from crowdselect.settings import Workspace
from tests.crowds import ingest
try:
    ingest(Workspace(Path(sys.argv[1])), [Path(sys.argv[2])])
except CrowdSelectError as error:
    raise SystemExit(error.problem)
print("done")
"""


SAVING = """
import sys
from crowdselect import pipeline
from crowdselect.errors import InputError
from crowdselect.settings import open_workspace
from crowdselect.values import Recipe
workspace = open_workspace(sys.argv[1])
crowd = pipeline.open_crowd(workspace, "small")
chosen = pipeline.select(
    crowd, Recipe(crowd="small", strategy="random", clusters=0, budget=2, seed=int(sys.argv[2]))
)
print("ready", flush=True)
sys.stdin.readline()
try:
    pipeline.save_selection(workspace, chosen, "best")
except InputError as error:
    raise SystemExit(error.problem)
"""


def run(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def rows_of(version: int) -> list[dict[str, object]]:
    return [{**row, "response": f"version {version}"} for row in tidy_rows(4 + version)]


def test_notes_written_while_a_crowd_is_replaced_are_kept(
    workspace: Workspace, tmp_path: Path
) -> None:
    ingest(workspace, [write_csv(tmp_path / "0.csv", rows_of(0))])
    writers = [run(NOTING, workspace.root, who, 60) for who in ("a", "b")]
    version = 0
    while any(writer.poll() is None for writer in writers):
        version += 1
        path = write_csv(tmp_path / f"{version}.csv", rows_of(version % 3))
        ingest(workspace, [path], replace=True)
    told = {
        f"{who} {line}"
        for who, writer in zip("ab", writers, strict=True)
        for line in writer.communicate()[0].split()
    }
    assert [writer.returncode for writer in writers] == [0, 0]
    assert version > 1
    with open_crowd(workspace, "small") as crowd:
        kept = crowd.notes.state().comments["q1"]
    assert len(told) == 120
    assert set(kept) == told
    assert len(kept) == 120


def test_of_two_ingests_of_one_name_one_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    files = [write_csv(tmp_path / f"{v}.csv", rows_of(v)) for v in (0, 1)]
    for round_ in range(3):
        here = Workspace(workspace.root / str(round_))
        both = [run(INGESTING, here.root, path) for path in files]
        told = [process.communicate(timeout=120) for process in both]
        done = [i for i, (out, _) in enumerate(told) if out == "done\n"]
        assert len(done) == 1, told
        refused = told[1 - done[0]][1]
        assert "is running" in refused or "already" in refused
        assert "Traceback" not in refused
        with open_crowd(here, "small") as crowd:
            assert crowd.n == 4 + done[0]


def test_the_second_of_two_edits_of_the_models_is_refused(
    workspace: Workspace, tmp_path: Path
) -> None:
    ingest(workspace, [write_csv(tmp_path / "0.csv", rows_of(0))])
    first, second = open_crowd(workspace, "small"), open_crowd(workspace, "small")
    names = [m.name for m in first.models]
    edit = pd.DataFrame({"model": names, "family": "one", "size_b": range(1, len(names) + 1)})
    first.set_models(edit)
    with pytest.raises(InputError, match="changed by somebody else"):
        second.set_models(edit.assign(family="two"))
    first.set_models(edit.assign(family="three"))  # one's own next edit is nobody else's
    assert {m.family for m in open_crowd(workspace, "small").models} == {"three"}


def test_a_note_on_a_crowd_that_was_removed_is_told(workspace: Workspace, tmp_path: Path) -> None:
    from crowdselect.pipeline import remove_crowd

    ingest(workspace, [write_csv(tmp_path / "0.csv", rows_of(0))])
    crowd = open_crowd(workspace, "small")
    remove_crowd(workspace, "small")
    with pytest.raises(InputError, match="was removed"):
        crowd.notes.append("pin", "q1")
    assert not workspace.crowd("small").exists()


def test_scores_and_what_they_are_lie_in_one_file(workspace: Workspace, tmp_path: Path) -> None:
    """A process that is killed leaves the older scores or the newer, never halves of both."""
    ingest(workspace, [write_csv(tmp_path / "0.csv", rows_of(0))])
    crowd = open_crowd(workspace, "small")
    frame = pd.DataFrame({"id": crowd.ids, "mine": [1.0] * crowd.n})
    crowd.write_scores("mine", frame, ScoreInfo(name="mine", source="first"))
    assert [p.name for p in (crowd.path / "scores").iterdir()] == ["mine.parquet"]
    (crowd.path / "scores" / "broken.parquet").write_bytes(b"PAR1 and no more")
    assert {k: v.source for k, v in crowd.score_columns().items()} == {"mine": "first"}


def test_scores_of_an_older_version_are_read(workspace: Workspace, tmp_path: Path) -> None:
    """It wrote what the columns are into a file of its own."""
    ingest(workspace, [write_csv(tmp_path / "0.csv", rows_of(0))])
    crowd = open_crowd(workspace, "small")
    folder = crowd.path / "scores"
    folder.mkdir()
    pd.DataFrame({"id": ["q1"], "old": [2.0]}).to_parquet(folder / "old.parquet", index=False)
    info = ScoreInfo(name="old", title="Old", columns=("old",), source="a model")
    (folder / "old.json").write_text(info.model_dump_json())
    assert crowd.score_columns()["old"].title == "Old"
    assert crowd.read_scores("old").columns["old"][crowd.row_of["q1"]] == 2.0


def test_of_two_selections_of_one_name_one_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    ingest(workspace, [write_csv(tmp_path / "0.csv", rows_of(0))])
    savers = [run(SAVING, workspace.root, seed) for seed in range(4)]
    for saver in savers:
        assert saver.stdout is not None
        assert saver.stdout.readline() == "ready\n"
    told = []
    for saver in savers:
        assert saver.stdin is not None
        saver.stdin.write("go\n")
        saver.stdin.flush()
    for saver in savers:
        told.append(saver.communicate(timeout=60)[1])
    assert sorted(saver.returncode for saver in savers) == [0, 1, 1, 1], told
    assert sum("'best' already" in text for text in told) == 3
    assert [saved.name for saved in list_selections(workspace)] == ["best"]


def test_a_report_of_a_newer_version_is_refused_by_its_version(
    workspace: Workspace, tmp_path: Path
) -> None:
    ingest(workspace, [write_csv(tmp_path / "0.csv", rows_of(0))])
    path = workspace.crowd("small") / "report.json"
    path.write_text(path.read_text().replace("{", '{"new_field": 1,', 1))
    with pytest.raises(InputError, match="new_field"):
        open_crowd(workspace, "small")
    with pytest.raises(InputError, match=r"ingested by crowdselect 9\.1; this is 0") as raised:
        read_report(path, "9.1")
    assert "--replace" in raised.value.remedy

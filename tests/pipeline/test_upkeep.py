"""A workspace is checked against its own hashes, freed of what can be made again, and moved."""

import json
import shutil
import tarfile
from pathlib import Path

import duckdb
import numpy as np
import pytest

from crowdselect import files, jobs, pipeline
from crowdselect.cli import main
from crowdselect.errors import InputError
from crowdselect.pipeline import upkeep
from crowdselect.pipeline.decontamination import contamination_of
from crowdselect.pipeline.study import Study, StudyPlan, looks
from crowdselect.settings import Workspace, open_workspace
from crowdselect.values import Recipe
from tests.attack.test_read_only import everything
from tests.pipeline import tiny

RECIPE = Recipe(crowd="tiny", encoder="lsa", clusters=2, budget=4)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("made")
    workspace = open_workspace(root / "w")
    for name in ("tiny", "other"):
        pipeline.ingest(workspace, "table", [tiny.write_tidy(root)], name=name)
    crowd = pipeline.open_crowd(workspace, "tiny")
    crowd.notes.append("pin", "u01")
    saved = pipeline.save_selection(workspace, pipeline.select(crowd, RECIPE), "mine")
    pipeline.export(workspace, saved, "messages")
    jobs.create(workspace, "score", {"source": "tiny"}, run_id="of-tiny")
    model = str(workspace.run("of-tiny") / "model")
    jobs.create(workspace, "score", {"source": "file", "model": model}, run_id="of-of-tiny")
    jobs.create(workspace, "score", {"source": "other"}, run_id="of-other")
    for run in ("of-tiny", "of-of-tiny", "of-other"):
        status = workspace.run(run) / "status.json"
        status.write_text(json.dumps({**json.loads(status.read_text()), "state": "done"}))
    return workspace


@pytest.fixture
def workspace(made: Workspace, tmp_path: Path) -> Workspace:
    return Workspace(Path(shutil.copytree(made.root, tmp_path / "w")))


def test_a_sound_workspace_is_called_sound(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(workspace.root)
    assert main(["workspace", "check", "--workspace", str(workspace.root)]) == 0
    assert capsys.readouterr().out == f"{workspace.root} is sound.\n"
    assert everything(workspace.root) == before


def test_what_was_changed_is_found(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    (saved,) = pipeline.list_selections(workspace)
    for path in (saved.path / "selection.parquet", next(saved.path.glob("exports/*/*.jsonl"))):
        path.write_bytes(path.read_bytes() + b"x")
    crowd = workspace.crowd("other")
    rewards = crowd / "rewards"
    shutil.copy(rewards / "strict.parquet", rewards / "kept")
    import pyarrow.parquet as pq

    table = pq.read_table(rewards / "strict.parquet")
    other = table.set_column(0, table.column_names[0], [np.zeros(table.num_rows)])
    pq.write_table(other.replace_schema_metadata(table.schema.metadata), rewards / "strict.parquet")
    notes = workspace.crowd("tiny") / "notes.jsonl"
    whole = notes.read_bytes()
    notes.write_bytes(b'{"kind": "ban\n' + whole + b'{"torn')
    found = {f.what: f for f in upkeep.check_workspace(workspace)}
    assert set(found) == {
        "crowd other", f"selection {saved.id}", f"export messages of {saved.id}", "journal of tiny",
    }  # fmt: skip
    given = ["workspace", "check", "--repair", "--workspace", str(workspace.root)]
    assert main(given) == 2
    assert "are not those that were" in " ".join(capsys.readouterr().out.split())
    assert notes.read_bytes() == whole
    assert notes.with_name("notes.jsonl.torn").read_bytes() == b'{"kind": "ban\n{"torn\n'
    assert "journal of tiny" not in {f.what for f in upkeep.check_workspace(workspace)}
    pipeline.export(workspace, pipeline.save_selection(
        workspace, pipeline.select(pipeline.open_crowd(workspace, "tiny"), RECIPE)), "messages",
    )  # fmt: skip
    shutil.move(rewards / "kept", rewards / "strict.parquet")
    assert upkeep.check_workspace(workspace) == []


def test_a_journal_of_a_run_at_work_is_left_alone(workspace: Workspace) -> None:
    path = jobs.create(workspace, "score", {"source": "tiny"}, run_id="now")
    (path / "events.jsonl").write_text("{")
    (finding,) = upkeep.check_workspace(workspace)
    with pytest.raises(InputError, match="at work"):
        upkeep.repair(workspace, finding)


def test_only_caches_go(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    before = everything(workspace.root)
    given = ["workspace", "gc", "--workspace", str(workspace.root)]
    assert main(given) == 0
    assert everything(workspace.root) == before
    assert "caches of the crowd tiny" in capsys.readouterr().out
    assert main([*given, "--yes"]) == 0
    kept = {path for path in before if "cache" not in Path(path).parts}
    assert set(everything(workspace.root)) == kept
    again = pipeline.select(pipeline.open_crowd(workspace, "tiny"), RECIPE)
    assert list(again.ids) == list(pipeline.load_selection(workspace, "mine").ids)


def test_a_crowd_moves_with_everything_that_belongs_to_it(
    workspace: Workspace, tmp_path: Path
) -> None:
    out = tmp_path / "tiny.tar"
    assert main(["workspace", "export", "tiny", str(out), "--workspace", str(workspace.root)]) == 0
    there = open_workspace(tmp_path / "there")
    assert main(["workspace", "import", str(out), "--workspace", str(there.root)]) == 0
    assert there.crowd_names() == ["tiny"]
    assert pipeline.open_crowd(there, "tiny").notes.state().pins == ("u01",)
    assert {view.id for view in jobs.all_runs(there)} == {"of-tiny", "of-of-tiny"}
    assert list(pipeline.load_selection(there, "mine").ids) == list(
        pipeline.load_selection(workspace, "mine").ids
    )
    assert next(there.selections.glob("*/exports/messages/manifest.json"))
    assert upkeep.check_workspace(there) == []
    before = everything(there.root)
    with pytest.raises(InputError, match="holds crowds/tiny"):
        upkeep.import_crowd(there, out)
    with pytest.raises(InputError, match="exists already"):
        upkeep.export_crowd(workspace, "tiny", out)
    assert everything(there.root) == before


@pytest.fixture
def studied(workspace: Workspace, tmp_path: Path) -> Study:
    """A study of tiny that was looked at, beside a selection that keeps questions out."""
    crowd = pipeline.open_crowd(workspace, "tiny")
    (tmp_path / "held-out.txt").write_text(
        "What is the question that nobody must have trained on?\n"
    )
    against = [tmp_path / "held-out.txt"]
    recipe, _ = pipeline.without_contamination(crowd, RECIPE, against)
    pipeline.save_selection(workspace, pipeline.select(crowd, recipe), "clean")
    plan = {"name": "mine", "crowd": "tiny", "baselines": ["a"], "arms": [{"name": "a"}],
            "development": f"verifiable:path={against[0]}"}  # fmt: skip
    study = Study(workspace, StudyPlan.parse(plan, "study"))
    data = study.path / "data" / "one"
    data.mkdir(parents=True)
    (data / "rows.jsonl").write_text("{}\n")
    files.write_json(
        data / "chosen.json",
        {"data": "rows.jsonl", "sha256": files.sha256_file(data / "rows.jsonl")},
    )
    files.write_text(study.path / "plan.toml", study.plan.to_toml())
    for name, questions, when in (
        ("mine", "q1", "2"),
        ("theirs", "q1", "1"),
        ("theirs", "q2", "3"),
    ):
        line = {"questions": questions, "split": "test", "when": when, "study": name, "reason": "",
                "look": name, "comparisons": {"a - b": 0.5}, "tried": ["a"]}  # fmt: skip
        files.append_line(workspace.studies / looks.JOURNAL, line)
    return study


def test_questions_and_studies_move_with_their_crowd(studied: Study, tmp_path: Path) -> None:
    assert upkeep.check_workspace(studied.home) == []
    out, bare = tmp_path / "tiny.tar", tmp_path / "bare.tar"
    (questions,) = studied.home.questions.iterdir()
    named = f"questions/{questions.name}"
    assert {"studies/mine", named} <= set(upkeep.export_crowd(studied.home, "tiny", out))
    without = upkeep.export_crowd(studied.home, "tiny", bare, runs=False)
    assert named in without
    assert "studies/mine" not in without
    assert named not in upkeep.export_crowd(studied.home, "other", tmp_path / "other.tar")
    there = open_workspace(tmp_path / "there")
    own = {"questions": "q1", "split": "test", "when": "3", "study": "own", "reason": "again",
           "look": "own", "comparisons": {"x - y": 0.1}, "tried": ["x"]}  # fmt: skip
    files.append_line(there.studies / looks.JOURNAL, own)
    there.questions.mkdir()
    shutil.copy(questions, there.questions)
    assert named not in upkeep.import_crowd(there, out)
    assert upkeep.check_workspace(there) == []
    found = looks.begun(there, "q1")
    assert [look.study for look in found] == ["theirs", "mine", "own"]  # every look, oldest first
    assert looks.begun(there, "q2") == []
    recipe = pipeline.load_selection(there, "clean").recipe
    assert contamination_of(pipeline.open_crowd(there, "tiny"), recipe).against[0].items
    jobs.create(studied.workspace, "score", {"source": "tiny"})
    with pytest.raises(InputError, match="mine is at work"):
        upkeep.export_crowd(studied.home, "tiny", tmp_path / "busy.tar")


def test_changed_questions_and_studies_are_found(studied: Study) -> None:
    (questions,) = studied.home.questions.iterdir()
    held = json.loads(questions.read_text())
    held["items"][0][1] = "Another question"
    questions.write_text(json.dumps(held))
    data = studied.path / "data" / "one" / "rows.jsonl"
    data.write_text("changed")
    journal = studied.home.studies / looks.JOURNAL
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"torn')
    found = {f.what: f for f in upkeep.check_workspace(studied.home)}
    assert set(found) == {f"questions {questions.stem[:12]}", "study mine", "journal of studies"}
    upkeep.repair(studied.home, found["journal of studies"])
    assert journal.read_bytes() == whole
    (studied.path / "plan.toml").write_text("name = ")
    assert (
        "cannot be read"
        in {f.what: f for f in upkeep.check_workspace(studied.home)}["study mine"].problem
    )


def test_uploaded_instructions_go_once_no_run_reads_them(workspace: Workspace) -> None:
    for name in ("read", "spent", "forgotten"):
        (workspace.kept_uploads / name).mkdir(parents=True)
        (workspace.kept_uploads / name / "questions.txt").write_text("Why?\n")
    for name, state in (("read", "failed"), ("spent", "done")):
        source = str(workspace.kept_uploads / name / "questions.txt")
        run = jobs.create(workspace, "score", {"source": source})
        status = run / "status.json"
        status.write_text(json.dumps({**json.loads(status.read_text()), "state": state}))
    found = upkeep.freeable(workspace)
    (mine,) = [each for each in found if each.path == workspace.kept_uploads]
    assert mine.size == 2 * len("Why?\n")
    assert workspace.uploads not in [each.path for each in found]
    upkeep.free(workspace, found)
    assert [path.parent.name for path in workspace.uploads.rglob("*.txt")] == ["read"]


@pytest.mark.parametrize("how", ["changed", "newer", "outside", "more", "link", "cut", "no tar"])
def test_an_archive_that_is_not_as_it_was_written(
    workspace: Workspace, tmp_path: Path, how: str
) -> None:
    good, bad = tmp_path / "good.tar", tmp_path / "bad.tar"
    upkeep.export_crowd(workspace, "tiny", good, runs=False)
    _written_anew(good, bad, how)
    there = open_workspace(tmp_path / "there")
    with pytest.raises(InputError) as raised:
        upkeep.import_crowd(there, bad)
    assert str(bad) in raised.value.problem
    assert everything(there.root) == {}
    assert not (tmp_path / "evil").exists()


def _written_anew(good: Path, bad: Path, how: str) -> None:
    if how in ("cut", "no tar"):
        data = good.read_bytes()
        bad.write_bytes(data[: len(data) // 2] if how == "cut" else b"no tar at all")
        return
    folder = bad.with_suffix(".folder")
    with tarfile.open(good) as tar:
        names = tar.getnames()
        tar.extractall(folder, filter="data")
    contents = json.loads((folder / names[0]).read_text())
    if how == "changed":
        (folder / names[1]).write_bytes(b"other")
    elif how == "newer":
        contents["format"] = 99
    elif how == "outside":
        contents["folders"].append("runs/../../evil")
    (folder / names[0]).write_text(json.dumps(contents))
    with tarfile.open(bad, "w") as tar:
        for name in names:
            tar.add(folder / name, name)
        if how == "more":
            tar.add(folder / names[1], "../evil")
        elif how == "link":
            link = tarfile.TarInfo("crowds/tiny/link")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc"
            tar.addfile(link)


@pytest.mark.parametrize(("version", "said"), [("0", "whose tables"), ("99", "which is newer")])
def test_a_crowd_of_another_version_says_whose_it_is(
    workspace: Workspace, version: str, said: str
) -> None:
    with duckdb.connect(str(workspace.crowd("tiny") / "crowd.duckdb")) as con:
        con.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", [version])
    with pytest.raises(InputError, match=said) as raised:
        pipeline.open_crowd(workspace, "tiny")
    assert "crowdselect 0.1.0" in raised.value.problem

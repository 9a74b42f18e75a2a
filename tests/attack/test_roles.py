"""What a viewer, a curator and an admin may do and see is decided below the pages."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from crowdselect import access, jobs, pipeline
from crowdselect.deeds import LOG, read_deeds
from crowdselect.errors import (
    InputError,
    NotAllowedError,
    NotFoundError,
    ReadOnlyError,
    of_the_disk,
)
from crowdselect.people import OWNER, ROLES, Person, Role, acting, acting_as
from crowdselect.pipeline import upkeep
from crowdselect.pipeline.study import study_names
from crowdselect.roles import PEOPLE, People, people_of, person_of
from crowdselect.settings import Workspace, open_workspace
from crowdselect.store import Crowd, ScoreInfo
from crowdselect.values import Recipe
from tests.pipeline import tiny

RECIPE = Recipe(crowd="tiny", encoder="lsa", clusters=2, budget=4)
ANN, BOB, EVE = "ann@example.org", "bob@example.org", "eve@example.com"
TOML = """
admin = ["ann@example.org"]
curator = ["@example.org"]
viewer = ["*"]
[crowds]
hidden = ["bob@example.org"]
"""


def everything(root: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in root.rglob("*")
        if p.is_file() and p.name != LOG and not p.name.startswith(".lock-")
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a selection and runs of Bob's and of the owner's."""
    folder = tmp_path_factory.mktemp("roles")
    workspace = open_workspace(folder / "w")
    file = tiny.write_tidy(folder)
    for name in ("tiny", "hidden"):
        pipeline.ingest(workspace, "table", [file], name=name)
        recipe = RECIPE.model_copy(update={"crowd": name})
        chosen = pipeline.select(pipeline.open_crowd(workspace, name), recipe)
        pipeline.save_selection(workspace, chosen, f"of-{name}")
    jobs.create(workspace, "landscape", {"crowd": "tiny"}, run_id="waits")
    jobs.create(workspace, "landscape", {"crowd": "hidden"}, run_id="secret")
    jobs.create(workspace, "benchmark", {"subject": {"run": "secret"}}, run_id="about-secret")
    (workspace.root / PEOPLE).write_text(TOML)
    return folder


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(made, tmp_path / "copy")
    return open_workspace(tmp_path / "copy" / "w")


def somebody(workspace: Workspace, account: str) -> Person:
    person = person_of(people_of(workspace), account)
    assert person is not None
    return person


def opened(workspace: Workspace) -> Crowd:
    return pipeline.open_crowd(workspace, "tiny")


def table(workspace: Workspace) -> Path:
    return workspace.root.parent / "tidy.csv"


def scores(workspace: Workspace) -> Path:
    file = workspace.root.parent / "mine.csv"
    file.write_text("id,mine\nu01,1.5\n")
    return file


def archive(workspace: Workspace) -> Path:
    """The crowd as a file; an admin, who may take it in, has none of it in the workspace."""
    file = workspace.root.parent / "tiny.tar"
    if not file.exists() and acting().at_least("admin"):
        upkeep.export_crowd(workspace, "tiny", file)
        pipeline.remove_crowd(workspace, "tiny")
        for folder in ("selections", "runs", "questions"):
            shutil.rmtree(workspace.root / folder)
    return file


def torn(workspace: Workspace) -> upkeep.Finding:
    journal = workspace.crowd("hidden") / "notes.jsonl"
    if not journal.exists():
        journal.write_text('{"torn')
    return next(f for f in upkeep.check_workspace(workspace) if f.repairable)


WRITES: dict[str, tuple[Role, Callable[[Workspace], object]]] = {
    "note": ("curator", lambda w: opened(w).notes.append("pin", "u01")),
    "models": ("curator", lambda w: opened(w).set_models(list(opened(w).models))),
    "judge": (
        "curator",
        lambda w: opened(w).add_judge("new", pd.DataFrame({"id": ["u01"], "lonely": [1.0]})),
    ),
    "scores": (
        "curator",
        lambda w: opened(w).write_scores(
            "mine", pd.DataFrame({"id": ["u01"], "mine": [1.0]}), ScoreInfo(name="mine")
        ),
    ),
    "import scores": ("curator", lambda w: opened(w).import_scores(scores(w))),
    "ingest": ("curator", lambda w: pipeline.ingest(w, "table", [table(w)], name="other")),
    "preview": ("curator", lambda w: pipeline.preview(w, "table", [table(w)])),
    "remember": ("curator", lambda w: pipeline.remember(opened(w), table(w))),
    "save": ("curator", lambda w: pipeline.save_selection(w, pipeline.select(opened(w), RECIPE))),
    "rename": ("curator", lambda w: pipeline.rename_selection(w, RECIPE.id, "yours")),
    "export": ("curator", lambda w: pipeline.export(w, RECIPE.id, "messages")),
    "job": ("curator", lambda w: jobs.create(w, "landscape", {"crowd": "tiny"})),
    "start": ("curator", lambda w: jobs.start(w.run("waits"), command=["true"])),
    "export crowd": (
        "curator",
        lambda w: upkeep.export_crowd(w, "tiny", w.root.parent / "out.tar"),
    ),
    "cancel another's": ("admin", lambda w: jobs.cancel(w.run("waits"))),
    "replace": (
        "admin",
        lambda w: pipeline.ingest(w, "table", [table(w)], name="tiny", replace=True),
    ),
    "free": ("admin", lambda w: upkeep.free(w, upkeep.freeable(w))),
    "repair": ("admin", lambda w: upkeep.repair(w, torn(w))),
    "import": ("admin", lambda w: upkeep.import_crowd(w, archive(w))),
    "remove another's selection": ("admin", lambda w: pipeline.remove_selection(w, RECIPE.id)),
    "remove crowd": ("admin", lambda w: pipeline.remove_crowd(w, "tiny")),
}
READS = {
    "available_metrics", "compare", "contamination", "crowd_names", "damaged", "explain",
    "find_selection",
    "landscape", "list_selections", "load_selection", "metrics", "open_crowd", "robustness",
    "select", "is_demo", "judge_of", "has_landscape", "has_vectors", "list_all", "list_draft",
    "list_saved", "answers_of", "answered", "cluster_labels", "clustering", "clustering_of",
    "combined_rewards", "contamination_of", "damaged_crowds", "damaged_runs",
    "damaged_selections", "answer_facts", "answer_warnings", "answer_words", "gate_facts",
    "fast_clusters", "plane_of", "quality_judges", "sort_names", "unshared", "vectors",
    "with_selection_ids", "without_contamination", "encoder_of", "follows_encoder",
    "has_first_look", "target_words",
}  # fmt: skip
"""Of what it computes, each keeps a cache where the disk allows it."""
ASKED_ELSEWHERE = {
    "with_targets": "remember", "with_target": "remember", "keep_target": "remember",
    "keep_rows": "remember", "run_landscape_job": "job",
}  # fmt: skip
"""What writes by another function that is tried, and which."""


def test_every_function_of_the_pipeline_is_tried_or_reads() -> None:
    functions = {
        name for name in pipeline.__all__ if callable(getattr(pipeline, name)) and name[0].islower()
    }
    tried = {
        "export", "ingest", "preview", "remember", "remove_crowd", "remove_selection",
        "rename_selection", "save_selection",
    }  # fmt: skip
    assert functions == READS | tried | set(ASKED_ELSEWHERE)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_what_it_may(workspace: Workspace, role: Role) -> None:
    for what, (needed, write) in WRITES.items():
        person = Person(role, account=EVE)
        if what == "import" and person.at_least(needed):
            archive(workspace)
        if what == "repair":
            torn(workspace)
        before = everything(workspace.root)
        with acting_as(person):
            if person.at_least(needed):
                write(workspace)
                continue
            with pytest.raises((ReadOnlyError, NotAllowedError)) as raised:
                write(workspace)
        told = raised.value
        problem = of_the_disk(told) if isinstance(told, OSError) else told
        assert problem is not None, what
        assert role in problem.problem, what
        assert everything(workspace.root) == before, what


def test_curators_remove_and_cancel_what_is_theirs(workspace: Workspace) -> None:
    recipe = RECIPE.model_copy(update={"seed": 9})
    with acting_as(Person("curator", account=BOB, name="Bob")):
        saved = pipeline.save_selection(workspace, pipeline.select(opened(workspace), recipe))
        run = jobs.create(workspace, "landscape", {"crowd": "tiny"})
        assert (saved.by, saved.authors) == (BOB, ("Bob",))
        assert (jobs.read(run).by, jobs.read(run).author) == (BOB, "Bob")
    with acting_as(Person("curator", account=EVE, name="Eve")):
        # Saving it again makes nobody its owner.
        again = pipeline.save_selection(workspace, pipeline.select(opened(workspace), recipe))
        assert (again.by, again.authors) == (BOB, ("Bob", "Eve"))
        with pytest.raises(NotAllowedError, match="of others is for an admin"):
            pipeline.remove_selection(workspace, saved.id)
        with pytest.raises(NotAllowedError):
            jobs.cancel(run)
    with acting_as(Person("curator", account=BOB)):
        jobs.cancel(run)
        pipeline.remove_selection(workspace, saved.id)


def test_who_saved_changes_neither_id_nor_bytes(workspace: Workspace) -> None:
    saved = pipeline.find_selection(workspace, "of-tiny")
    files = ("recipe.toml", "selection.parquet", "manifest.json")
    before = {name: (saved.path / name).read_bytes() for name in files}
    exported = pipeline.export(workspace, saved, "messages").data.read_bytes()
    with acting_as(Person("curator", account=BOB, name="Bob")):
        again = pipeline.save_selection(workspace, pipeline.select(opened(workspace), RECIPE))
        assert again.id == saved.id
        assert {name: (again.path / name).read_bytes() for name in files} == before
        assert pipeline.export(workspace, again, "messages").data.read_bytes() == exported


def test_a_crowd_is_seen_by_whom_it_names_alone(workspace: Workspace) -> None:
    hidden = workspace.crowds / "hidden" / "crowd.duckdb"
    for account in (ANN, BOB):
        with acting_as(somebody(workspace, account)):
            assert pipeline.crowd_names(workspace) == ["hidden", "tiny"]
            assert pipeline.open_crowd(workspace, "hidden").n
            assert len(jobs.all_runs(workspace)) == 3
            assert len(pipeline.list_selections(workspace)) == 2
            assert access.opened_path(workspace, hidden) == hidden.resolve()
    secret = pipeline.find_selection(workspace, "of-hidden")
    for account in ("carl@example.org", EVE):
        with acting_as(somebody(workspace, account)):
            assert pipeline.crowd_names(workspace) == ["tiny"]
            for name in ("hidden", "Hidden"):
                with pytest.raises(NotFoundError) as raised:
                    pipeline.open_crowd(workspace, name)
                assert "hidden" not in raised.value.remedy
            assert [s.name for s in pipeline.list_selections(workspace)] == ["of-tiny"]
            for key in (secret.id, secret.id[:8], "of-hidden"):
                with pytest.raises(NotFoundError) as raised:
                    pipeline.load_selection(workspace, key)
                assert "of-hidden" not in raised.value.remedy
            assert [view.id for view in jobs.all_runs(workspace)] == ["waits"]
            for run in ("secret", "about-secret"):
                with pytest.raises(NotFoundError) as raised:
                    jobs.read(workspace.run(run))
                assert "secret" not in raised.value.remedy
            for path in (hidden, secret.path, workspace.run("secret"), workspace.root):
                with pytest.raises(InputError, match="no file or folder"):
                    access.opened_path(workspace, path)
            assert pipeline.damaged(workspace) == []
            assert study_names(workspace) == []


def test_nobody_reaches_a_hidden_crowd_by_a_job_or_an_ingest(workspace: Workspace) -> None:
    carl = somebody(workspace, "carl@example.org")
    assert carl.role == "curator"
    with acting_as(carl):
        for config in (
            {"crowd": "hidden"},
            {"origin": {"recipe": {"crowd": "hidden"}}},
            {"subject": {"model": str(workspace.runs / "secret" / "merged")}},
        ):
            with pytest.raises(NotFoundError):
                jobs.create(workspace, "landscape", config)
        with pytest.raises(NotAllowedError, match="would not see"):
            pipeline.ingest(workspace, "table", [table(workspace)], name="hidden")
        with pytest.raises(InputError, match="called 'of-hidden' already"):
            pipeline.rename_selection(workspace, "of-tiny", "of-hidden")


def test_roles_are_read_from_the_file(workspace: Workspace) -> None:
    people = people_of(workspace)
    assert people is not None
    found = [people.role_of(who) for who in (ANN, BOB, EVE, "Ann@Example.org")]
    assert found == ["admin", "curator", "viewer", "admin"]
    assert People(admin=("a@b.c",)).role_of("x@b.c") is None
    everybody = People(viewer=("*",), crowds={"*": ("curator",), "open": ("viewer",)})
    seen = person_of(everybody, EVE)
    assert seen is not None
    assert [seen.may_see(name) for name in ("open", "other", "OPEN")] == [True, False, True]
    (workspace.root / PEOPLE).write_text('owner = ["ann@example.org"]')
    with pytest.raises(InputError, match=r"people.toml: owner"):
        people_of(workspace)
    (workspace.root / PEOPLE).unlink()
    assert people_of(workspace) is None
    assert person_of(None, EVE) == replace(OWNER, account=EVE, name="")


def test_the_log_says_who_did_what(workspace: Workspace) -> None:
    start = len(read_deeds(workspace))
    with acting_as(Person("curator", account=BOB, name="Bob")):
        pipeline.export(workspace, "of-tiny", "messages")
        with pytest.raises(NotAllowedError):
            pipeline.remove_crowd(workspace, "tiny")
        with pytest.raises(NotAllowedError, match="the log is for admins"):
            read_deeds(workspace)
    with acting_as(Person(account=ANN)):
        pipeline.remove_crowd(workspace, "tiny")
    with (workspace.root / LOG).open("a") as log:
        log.write('{"at": "2026')  # a crash while writing
    jobs.start(workspace.run("secret"), command=["true"])
    found = read_deeds(workspace)[start:]
    assert [(d.who, d.role, d.action, d.what) for d in found] == [
        ("Bob", "curator", "export", f"selection {RECIPE.id}"),
        (ANN, "admin", "delete", "crowd tiny"),
        (OWNER.name, "admin", "start", "run secret"),
    ]
    assert found[0].account == BOB
    assert "messages" in found[0].details
    assert (workspace.root / LOG).stat().st_mode & 0o077 == 0


def test_a_full_disk_keeps_nobody_from_making_room(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("crowdselect.files.append_line", full)
    pipeline.remove_crowd(workspace, "tiny")
    assert pipeline.crowd_names(workspace) == ["hidden"]

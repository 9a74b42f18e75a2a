"""Every command on a small crowd: what it prints, what it writes, with and without --json."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from crowdselect import files, pipeline
from crowdselect.settings import open_workspace
from crowdselect.values import Recipe
from tests.pipeline import tiny

SELECT = ("select", "tiny", "--encoder", "lsa", "--clusters", "3", "--budget", "12")


def test_ingest_show_remove(run, tmp_path: Path) -> None:
    file, models = tiny.write_tidy(tmp_path), tiny.write_models(tmp_path)
    space = ("--workspace", tmp_path / "w")
    said = run("ingest", "table", file, "--models", models, "--name", "mine", *space)
    assert said.code == 0
    assert "60 instructions, 6 models" in said.out
    assert "crowdselect crowd show mine" in said.err
    shown = run("crowd", "show", "mine", "--json", *space).json
    assert shown["instructions"] == 60
    assert shown["judges"] == ["strict", "gentle"]
    assert shown["models"][0] == {
        "name": "small-1b", "family": "small", "size_b": 1.0, "order": 0, "source": "table",
    }  # fmt: skip
    assert "small-70b" in run("crowd", "show", "mine", *space).out
    assert [c["name"] for c in run("crowd", "list", "--json", *space).json] == ["mine"]
    again = run("ingest", "table", file, "--name", "mine", *space)
    assert again.code == 2
    assert "--replace" in again.err
    assert run("ingest", "table", file, "--name", "mine", "--replace", "--json", *space).json
    assert run("crowd", "remove", "mine", "--json", *space).json == {"removed": "mine"}
    assert "None yet" in run("crowd", "list", *space).err


def test_ingest_takes_the_sources_own_options(run, tmp_path: Path) -> None:
    data = tiny.frame().rename(columns={"instruction": "wording", "model": "who"})
    file = tiny.write_tidy(tmp_path, data)
    said = run(
        "ingest", "table", file, "--instruction-column", "wording", "--model-column", "who",
        "--judge-columns", "strict", "--json", "--workspace", tmp_path / "w",
    )  # fmt: skip
    assert said.json["name"] == "tidy"
    assert said.json["judges"] == ["strict"]
    wrong = run("ingest", "table", file, "--layout", "tall", "--workspace", tmp_path / "w")
    assert wrong.code == 2
    assert "tidy" in wrong.err


def test_models_and_scores(run, here: Path, tmp_path: Path) -> None:
    table = tmp_path / "m.csv"
    table.write_text("model,family,size_b\nlonely,small,3\n")
    changed = run("crowd", "models", "tiny", "--table", table, "--json").json
    assert next(m for m in changed if m["name"] == "lonely")["family"] == "small"
    scores = tmp_path / "s.csv"
    ids = pd.Series([f"u{i:02}" for i in range(60)], name="id")
    pd.DataFrame({"id": ids, "mine": range(60)}).to_csv(scores, index=False)
    assert "60 instructions got a score" in run("crowd", "scores", "tiny", scores).out
    said = run(*SELECT, "--clusters", "0", "--weights", "mine=1", "--json").json
    assert [row["id"] for row in said["selected"]] == [f"u{i}" for i in range(59, 47, -1)]
    bad = run("crowd", "models", "tiny", "--table", tmp_path / "none.csv")
    assert (bad.code, len(bad.err.splitlines())) == (2, 2)


def test_metrics(run, here: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.parquet"
    said = run(
        "metrics", "tiny", "--metric", "difficulty@all", "-m", "length", "--out", out, "--json"
    )
    assert [m["metric"] for m in said.json["metrics"]] == ["difficulty@all", "length"]
    frame = pd.read_parquet(out)
    assert list(frame.columns) == ["id", "difficulty@all", "length"]
    crowd = pipeline.open_crowd(open_workspace(here), "tiny")
    expected = pipeline.metrics(crowd, ["difficulty@all"]).columns["difficulty@all"]
    assert (frame["difficulty@all"] == expected).all()
    assert "separability" in run("metrics", "tiny").out
    assert "stability" in run("metrics", "tiny", "--list").out
    names = [m["name"] for m in run("metrics", "tiny", "--list", "--json").json]
    assert "calc_share" in names
    for suffix in ("csv", "jsonl"):
        assert run("metrics", "tiny", "--out", tmp_path / f"m.{suffix}").code == 0
        assert (tmp_path / f"m.{suffix}").stat().st_size > 0
    bad = run("metrics", "tiny", "--out", tmp_path / "m.xls")
    assert (bad.code, (tmp_path / "m.xls").exists()) == (2, False)


def test_landscape(run, here: Path, tmp_path: Path) -> None:
    out = tmp_path / "l.csv"
    said = run("landscape", "tiny", "-e", "lsa", "-k", "3", "--out", out, "--json").json
    assert [c["instructions"] for c in said["clusters"]] == [30, 20, 10]
    assert all(c["name"] for c in said["clusters"])
    frame = pd.read_csv(out)
    assert frame["cluster"].value_counts().tolist() == [30, 20, 10]
    assert "30" in run("landscape", "tiny", "-e", "lsa", "-k", "3").out


def test_select_json_holds_everything(run, here: Path) -> None:
    said = run(*SELECT, "--weights", "difficulty=1,separability@gentle=-0.5", "--json").json
    assert said["recipe_id"] == Recipe.model_validate(said["recipe"]).id
    assert [row["rank"] for row in said["selected"]] == list(range(1, 13))
    for row in said["selected"]:
        assert set(row["contributions"]) == {"difficulty", "separability@gentle"}
        assert row["score"] == pytest.approx(sum(row["contributions"].values()), abs=1e-11)
        assert row["cluster"] in (0, 1, 2)
        assert row["reason"].startswith("Rank ")
    assert said["report"]["selected"] == 12
    assert said["report"]["tie_block"].keys() == {"size", "taken"}


def test_command_line_and_python_give_the_same_bytes(run, here: Path, recipe) -> None:
    made = recipe(weights={"difficulty": 1, "stability": -2}, seed=7, answer="random")
    workspace = open_workspace(here)
    crowd = pipeline.open_crowd(workspace, "tiny")
    by_python = pipeline.save_selection(workspace, pipeline.select(crowd, made))
    kept = {p.name: p.read_bytes() for p in by_python.path.iterdir() if p.name != "about.json"}
    export = pipeline.export(workspace, made.id, "parquet").data.read_bytes()
    pipeline.remove_selection(workspace, made.id)
    weights = ("--weights", "stability=-2,difficulty=1", "--seed", "7", "--answer", "random")
    assert run(*SELECT, *weights, "--json").json["recipe_id"] == made.id
    again = {p.name: p.read_bytes() for p in by_python.path.iterdir() if p.name != "about.json"}
    assert again == kept
    assert run("export", made.id, "--format", "parquet").code == 0
    assert (by_python.path / "exports" / "parquet" / "data.parquet").read_bytes() == export


def test_the_encoder_is_said_and_a_recipe_that_cannot_be_followed_is_refused(
    run, here: Path, tmp_path: Path, monkeypatch
) -> None:
    """The same command must not choose other rows on another machine without a word."""
    from crowdselect.landscape import encoders, sentence_model

    file, plain = tmp_path / "r.toml", ("select", "tiny", "--budget", "6", "-k", "3")
    monkeypatch.setattr(encoders, "find_spec", lambda name: None)
    monkeypatch.setattr(sentence_model, "find_spec", lambda name: None)
    fallen = run(*plain, "--write-recipe", file)
    assert fallen.code == 0
    assert "grouped by the encoder static." in fallen.err
    assert "minilm is not installed here" in fallen.err
    named = run(*plain, "-e", "static")
    assert "encoder static." in named.err
    assert "not installed" not in named.err
    assert "encoder" not in run("select", "tiny", "--budget", "6", "-k", "0").err
    file.write_text(file.read_text("utf-8").replace('"static"', '"minilm"'), "utf-8")
    kept = sorted((here / "selections").iterdir())
    refused = run("select", "tiny", "--recipe", file)
    assert refused.code == 2
    assert "crowdselect[embed]" in refused.err
    assert sorted((here / "selections").iterdir()) == kept


def test_recipe_files(run, here: Path, tmp_path: Path) -> None:
    """A written recipe gives the same selection; options given beside it win."""
    file = tmp_path / "r.toml"
    first = run(
        *SELECT, "--preset", "agreed", "--contains", "python", "--range", "difficulty=-5..",
        "--pin", "u03", "--ban", "u04", "--write-recipe", file, "--json",
    ).json  # fmt: skip
    again = run("select", "tiny", "--recipe", file, "--json").json
    assert again == first
    changed = run(
        "select", "tiny", "--recipe", file, "--budget", "3", "--pin", "u09", "--json"
    ).json
    assert changed["recipe"]["budget"] == 3
    assert changed["recipe"]["pins"] == ["u03", "u09"]
    assert changed["recipe"]["filters"]["contains"] == "python"
    assert changed["recipe"]["weights"] == first["recipe"]["weights"]
    other = run("select", "tiny", "--recipe", file, "-s", "top", "-o", "metric=length", "--json")
    assert other.json["recipe"]["options"] == {"metric": "length"}


def test_share_notes_and_no_save(run, here: Path) -> None:
    assert len(run(*SELECT[:-1], "10%", "--json").json["selected"]) == 6
    workspace = open_workspace(here)
    crowd = pipeline.open_crowd(workspace, "tiny")
    crowd.notes.append("ban", "u00")
    crowd.notes.append("pin", "u01")
    said = run(*SELECT, "--notes", "--json").json
    assert (said["recipe"]["pins"], said["recipe"]["bans"]) == (["u01"], ["u00"])
    before = len(pipeline.list_selections(workspace))
    assert run(*SELECT, "--seed", "99", "--no-save").code == 0
    assert len(pipeline.list_selections(workspace)) == before


def test_select_against_and_robustness(run, here: Path, tmp_path: Path) -> None:
    first = run(*SELECT, "--json").json["selected"][0]["id"]
    crowd = pipeline.open_crowd(open_workspace(here), "tiny")
    bench = tiny.write_benchmark(tmp_path, [crowd.instruction(crowd.row_of[first]).text])
    said = run(*SELECT, "--against", bench, "--against-words", "8", "--robustness", "--json").json
    assert [hit["id"] for hit in said["contamination"]["flagged"]] == [first]
    assert said["recipe"]["bans"] == []
    assert [k["name"] for k in said["recipe"]["decontaminate"]] == [bench.name]
    assert len(said["selected"]) == 12
    kinds = {part["kind"] for part in said["robustness"]["left_out"]}
    assert kinds == {"model", "family", "judge"}
    assert "1 instructions overlap" in run(*SELECT, "--against", bench, "--against-words", 8).err


def test_saved_selections(run, here: Path) -> None:
    assert "Saved as" in run(*SELECT, "--name", "best", "--note", "first try").err
    run(*SELECT, "--strategy", "random", "--name", "dice")
    listed = run("selection", "list", "--json").json
    assert {s["name"] for s in listed} == {"best", "dice"}
    assert "best" in run("selection", "list", "--crowd", "tiny").out
    shown = run("selection", "show", "best")
    assert (
        Recipe.from_toml(shown.out).id
        == run("selection", "show", "best", "--json").json["recipe_id"]
    )
    compared = run("compare", "best", "dice", "--json").json
    assert compared["jaccard"][0][0] == 1
    assert "Jaccard" in run("compare", "best", "dice").out
    assert run("selection", "rename", "best", "better").code == 0
    assert run("selection", "remove", "better", "--json").json == {"removed": "better"}
    gone = run("selection", "show", "better")
    assert gone.code == 2


def test_export(run, here: Path, tmp_path: Path) -> None:
    run(*SELECT, "--name", "best")
    said = run("export", "best", "-f", "llamafactory", "--out", tmp_path / "data", "--json").json
    assert said["counts"]["exported"] == 12
    info = files.read_json(tmp_path / "data" / "dataset_info.json")
    assert (tmp_path / "data" / info["best"]["file_name"]).exists()
    plain = run("export", "best", "-o", "system=Be brief.", "--license", "mit", "--name", "mine")
    path = Path(plain.out.strip())
    assert json.loads(path.read_text().splitlines()[0])["messages"][0]["content"] == "Be brief."
    assert 'license: "mit"' in (path.parent / "README.md").read_text()


def test_plugins(run) -> None:
    said = run("plugins", "--json").json
    assert set(said) >= {"sources", "metrics", "encoders", "strategies", "formats"}
    assert "crowdselect" in [p["name"] for p in said["strategies"]]
    assert "llamafactory" in run("plugins", "formats").out
    assert run("plugins", "formts").code == 2


def test_doctor(run, here: Path) -> None:
    said = run("doctor", "--json").json
    assert said["workspace"]["crowds"] == ["tiny"]
    base = said["parts"][0]
    assert (base["extra"], base["missing"]) == ("", [])
    assert "duckdb" in base["installed"]
    assert {p["extra"] for p in said["parts"]} >= {"embed", "finetune", "benchmark", "scale"}
    for part in said["parts"]:
        assert bool(part["install"]) == bool(part["missing"])
    assert "cores" in run("doctor").out


def test_doctor_names_the_line_that_installs(run, here: Path, monkeypatch) -> None:
    from crowdselect.cli import doctor

    real = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda p: None if p == "trl" else real(p))
    said = run("doctor", "--json").json
    part = next(p for p in said["parts"] if p["extra"] == "finetune")
    assert "trl" in part["missing"]
    assert part["install"] == "pip install 'crowdselect[finetune]'"
    assert "pip install 'crowdselect[finetune]'" in run("doctor").err


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("crowdselect sel", ["select", "selection"]),
        ("crowdselect select t", ["tiny"]),
        ("crowdselect select tiny --enc", ["--encoder"]),
        ("crowdselect export fi", ["first"]),
        ("crowdselect select tiny --clustering f", ["fast"]),
    ],
)
def test_a_shell_completes_commands_options_crowds_and_selections(
    run, here: Path, monkeypatch, capsys, typed: str, found: list[str]
) -> None:
    run("select", "tiny", "-e", "lsa", "-k", "3", "--budget", "5", "--name", "first")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    monkeypatch.setenv("_CROWDSELECT_COMPLETE", "complete_bash")
    with pytest.raises(SystemExit) as done:
        run()
    assert (done.value.code, capsys.readouterr().out.split()) == (0, found)


def test_as_a_real_process(here: Path) -> None:
    """The installed entry point, in a process of its own: stdout holds nothing but the document."""
    command = [str(Path(sys.executable).parent / "crowdselect"), *SELECT, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ})
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["selected"]) == 12
    bad = subprocess.run(
        [*command, "--judge", "nobody"], capture_output=True, text=True, timeout=120
    )
    assert (bad.returncode, bad.stdout) == (2, "")
    assert len(bad.stderr.splitlines()) == 2
    assert "Traceback" not in bad.stderr


def test_a_closed_pipe_is_no_traceback(here: Path) -> None:
    """``crowdselect ... | head``: the reader left, and that is all."""
    entry = Path(sys.executable).parent / "crowdselect"
    line = f"'{entry}' crowd list --json | true"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("", "")


def test_workspace_before_or_after_the_command(run, here: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert run("--workspace", other, "crowd", "list", "--json").json == []
    assert run("crowd", "list", "--json", "--workspace", other).json == []
    assert [c["name"] for c in run("crowd", "list", "--json").json] == ["tiny"]


def test_a_study_is_listed_and_shown_as_it_stands(run, here, tmp_path):
    """Without a single cell: what it will show, and everything that it will try."""
    from crowdselect.pipeline.study import StudyPlan

    arms = [{"name": "random", "recipe": {"strategy": "random"}}, {"name": "top"}]
    plan = StudyPlan.parse(
        {"name": "mine", "crowd": "tiny", "baselines": ["random"], "development": "verifiable",
         "train": {"model": "none"}, "arms": arms},
        "test",
    )  # fmt: skip
    folder = here / "studies" / "mine"
    folder.mkdir(parents=True)
    (folder / "plan.toml").write_text(plan.to_toml(), encoding="utf-8")
    assert [study["name"] for study in run("study", "list", "--json").json] == ["mine"]
    table = run("study", "show", "mine", "--markdown").out.splitlines()
    assert table[0].startswith("| arm | rows | seeds | score | 95 % interval | difference to ")
    assert {line.count("|") for line in table[:3]} == {8}
    shown = run("study", "show", "mine", "--json").json
    assert [(row["label"], row["done"], row["planned"]) for row in shown["rows"]] == [
        ("random", 0, 5), ("top", 0, 5)
    ]  # fmt: skip
    assert "questions you will see differences above" in shown["power"]
    missing = run("study", tmp_path / "none.toml")
    assert missing.code == 2
    assert "There is no study file" in missing.err
    unknown = run("study", "show", "yours")
    assert unknown.code == 2
    assert "There is no study 'yours'" in unknown.err

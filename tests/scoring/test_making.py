"""Models answer, judges judge: a crowd of one's own, really run, resumed and extended."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from crowdselect import files, jobs, pipeline
from crowdselect.cli import main
from crowdselect.errors import CrowdSelectError, InputError, NotFoundError
from crowdselect.pipeline.making import (
    GenerateConfig,
    JudgingConfig,
    create_generate,
    create_judge,
)
from tests.pipeline import tiny
from tests.scoring.served import serve


def prompts(folder, n=5):
    path = folder / "prompts.jsonl"
    rows = [{"id": f"p{i}", "instruction": f"Name {i} rivers."} for i in range(n)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def make(workspace, source, answerers, **fields) -> list[dict]:
    config = GenerateConfig(
        source=str(source), answerers=answerers, **{"name": "mine", "max_new_tokens": 4, **fields}
    )
    path = create_generate(workspace, config)
    assert jobs.run_here(path) == "done", jobs.read(path).error
    return [e for e in files.read_lines(path / "events.jsonl") if e["event"] == "answered"]


def judge(workspace, **fields) -> dict:
    path = create_judge(workspace, JudgingConfig(**fields))
    assert jobs.run_here(path) == "done", jobs.read(path).error
    return next(e for e in files.read_lines(path / "events.jsonl") if e["event"] == "judged")


def echo(question: str) -> str:
    return f"You said: {question}"


def test_models_make_a_crowd_and_judges_join_it(workspace, small_model, reward_model, tmp_path):
    with serve(echo) as (url, asked):
        made = make(
            workspace,
            prompts(tmp_path),
            [
                {"name": "echo", "model": "echo", "base_url": url},
                {"name": "local", "model": str(small_model)},
            ],
        )
        crowd = pipeline.open_crowd(workspace, "mine")
        assert crowd.ids.tolist() == [f"p{i}" for i in range(5)]
        assert {m.name for m in crowd.models} == {"echo", "local"}
        answers = crowd.answers(3).set_index("model")["response"]
        assert answers["echo"] == "You said: Name 3 rivers."
        # A third model extends the crowd; nobody is asked twice.
        make(workspace, "mine", [{"name": "again", "model": "echo", "base_url": url}], limit=2)
        assert len(asked) == 5
    crowd = pipeline.open_crowd(workspace, "mine")
    responses = pd.concat([crowd.answers(row) for row in range(5)]).groupby("model")["response"]
    local = next(m["answers"] for m in made if m["model"] == "local")
    assert local >= 1
    assert responses.count().to_dict() == {"echo": 5, "local": local, "again": 2}

    told = judge(workspace, crowd="mine", name="skeptic", model=str(reward_model))
    assert (told["rewards"], told["missing"]) == (7 + local, 0)
    crowd = pipeline.open_crowd(workspace, "mine")
    matrix = crowd.rewards("skeptic")
    assert np.isfinite(matrix.values).sum() == 7 + local
    assert pipeline.metrics(crowd, ["difficulty"]).columns["difficulty"].shape == (5,)
    assert_equals_one_at_a_time(crowd, reward_model, matrix)


def assert_equals_one_at_a_time(crowd, reward_model, matrix):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from crowdselect.lm.template import render

    model = AutoModelForSequenceClassification.from_pretrained(reward_model, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(reward_model)
    model.eval()
    local = [m.name for m in matrix.models].index("local")
    answered = int(np.flatnonzero(np.isfinite(matrix.values[:, local]))[-1])
    for row, model_name in ((0, "echo"), (answered, "local")):
        response = crowd.answers(row).set_index("model")["response"][model_name]
        messages = (
            {"role": "user", "content": crowd.instruction(row).text},
            {"role": "assistant", "content": response},
        )
        text = render(tokenizer, messages, complete=True)
        ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]])
        with torch.inference_mode():
            want = model(input_ids=ids).logits[0, 0].item()
        column = [m.name for m in matrix.models].index(model_name)
        assert matrix.values[row, column] == pytest.approx(want, abs=1e-4)


def test_the_command_line_makes_a_crowd_and_adds_a_judge(workspace, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CROWDSELECT_WORKSPACE", str(workspace.root))
    with serve(lambda q: "8" if q.startswith("Instruction:") else echo(q)) as (url, _):
        code = main(
            [
                "crowd",
                "generate",
                str(prompts(tmp_path, 3)),
                "-m",
                "echo-7b=echo",
                "--server",
                url,
                "--json",
            ]
        )
        said = capsys.readouterr()
        assert code == 0, said.err
        told = json.loads(said.out)
        assert told["crowd"] == "prompts"
        assert [(m["model"], m["answers"]) for m in told["models"]] == [("echo-7b", 3)]
        code = main(["crowd", "judge", "prompts", "-m", "grader", "--server", url])
        said = capsys.readouterr()
        assert code == 0, said.err
        assert said.out == "grader: 3 rewards added to prompts.\n"
        code = main(["crowd", "judge", "prompts", "-m", "grader", "--server", url])
        assert code == 2
        assert "a judge called 'grader' already" in capsys.readouterr().err
    crowd = pipeline.open_crowd(workspace, "prompts")
    assert crowd.rewards("grader").values.tolist() == [[8.0]] * 3


def test_what_a_server_will_be_asked_for_is_told_and_limited(workspace, tmp_path, capsys):
    """Before anything runs: requests and tokens; too many are refused, and nobody is asked."""
    here = ["--workspace", str(workspace.root)]
    with serve(echo) as (url, asked):
        given = ["crowd", "generate", str(prompts(tmp_path, 3)), "-m", "echo-7b=echo", *here]
        given += ["--server", url, "--max-new-tokens", "10"]
        assert main([*given, "--max-requests", "2"]) == 2
        said = capsys.readouterr().err
        assert "3 requests" in said
        assert "30 completion tokens" in said
        assert "--max-requests" in said
        assert asked == []
        assert main([*given, "--max-requests", "3"]) == 0
        judge_it = ["crowd", "judge", "prompts", "-m", "grader", "--server", url, *here]
        before = len(asked)
        assert main([*judge_it, "--max-requests", "2"]) == 2
        assert "3 requests" in capsys.readouterr().err
        assert main([*judge_it, "--limit", "1", "--max-requests", "1"]) in (0, 2)
        assert len(asked) <= before + 7, "one request, and its tries"


def test_a_replaced_answer_loses_its_rewards(workspace, tmp_path):
    with serve(echo) as (url, _):
        one = [{"name": "echo", "model": "echo", "base_url": url}]
        make(workspace, prompts(tmp_path, 3), one)
    with serve(lambda q: "7") as (url, _):
        judge(workspace, crowd="mine", name="seven", model="judge", kind="server", base_url=url)
    before = pipeline.open_crowd(workspace, "mine")
    before.notes.append("pin", "p1")
    assert before.rewards("seven").values.tolist() == [[7.0]] * 3
    with serve(lambda q: q.upper() if "2" in q else echo(q)) as (url, _):
        other = [{"name": "echo", "model": "echo", "base_url": url}]
        make(workspace, "mine", other, system="Shout.")
    after = pipeline.open_crowd(workspace, "mine")
    assert after.answers(2)["response"].tolist() == ["NAME 2 RIVERS."]
    np.testing.assert_array_equal(after.rewards("seven").values[:, 0], [7, 7, np.nan])
    assert after.notes.state().pins == ("p1",)


def test_what_was_answered_before_the_server_died_is_in_the_crowd(workspace, tmp_path):
    with serve(echo) as (url, _):
        path = create_generate(
            workspace,
            GenerateConfig(
                source=str(prompts(tmp_path)),
                name="mine",
                answerers=[
                    {"name": "alive", "model": "echo", "base_url": url},
                    {"name": "gone", "model": "echo", "base_url": "http://127.0.0.1:9/v1"},
                ],
                retries=0,
            ),
        )
        assert jobs.run_here(path) == "failed"
    assert "does not answer" in jobs.read(path).error[0]
    crowd = pipeline.open_crowd(workspace, "mine")
    assert [m.name for m in crowd.models] == ["alive"]
    assert crowd.responses_of(np.zeros(5, dtype=np.int64))[4] == "You said: Name 4 rivers."


def test_an_ingested_crowd_keeps_its_rewards_when_a_model_joins(workspace, tmp_path):
    data = tiny.frame(6)
    data["level"] = data["id"].str[1:].astype(int)
    old = pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path, data)], name="tiny")
    rewards = {j: old.rewards(j).values for j in old.judges}
    names = [m.name for m in old.models]
    with serve(echo) as (url, _):
        make(workspace, "tiny", [{"name": "echo", "model": "echo", "base_url": url}], name="tiny")
    new = pipeline.open_crowd(workspace, "tiny")
    assert new.judges == old.judges
    order = [[m.name for m in new.models].index(name) for name in names]
    for name, values in rewards.items():
        np.testing.assert_array_equal(new.rewards(name).values[:, order], values)
    assert new.instruction(2).extra == old.instruction(2).extra


def test_a_cancelled_judge_leaves_what_it_gave_and_goes_on(workspace, tmp_path, monkeypatch):
    from crowdselect.pipeline.making import job as making

    monkeypatch.setattr(making, "BLOCK", 2)
    pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path, tiny.frame(6))], name="tiny")
    run = None

    def grade(question: str) -> str:
        if len(asked) == 20:
            (run / "CANCEL").touch()
        return f"{len(question) % 7}"

    with serve(grade) as (url, asked):
        run = create_judge(
            workspace,
            JudgingConfig(crowd="tiny", name="n", model="m", kind="server", base_url=url),
        )
        assert jobs.run_here(run) == "cancelled"
        part = pipeline.open_crowd(workspace, "tiny").rewards("n").values
        assert 0 < np.isfinite(part).sum() < 36
        assert jobs.run_here(run) == "done"
        assert len(asked) == 36
    whole = pipeline.open_crowd(workspace, "tiny").rewards("n").values
    assert np.isfinite(whole).all()
    np.testing.assert_array_equal(whole[np.isfinite(part)], part[np.isfinite(part)])


def test_what_cannot_work_is_said_at_once(workspace, small_model, tmp_path):
    pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path, tiny.frame(3))], name="tiny")
    ok = {"name": "a", "model": str(small_model)}
    (tmp_path / "odd.jsonl").write_text('{"words": "no instruction"}\n')
    wrong: list[tuple[dict, type[CrowdSelectError], str]] = [
        ({"source": "nobody", "name": "x"}, NotFoundError, "no crowd called"),
        ({"source": str(tmp_path / "odd.jsonl")}, InputError, "row 1: it asks nothing"),
        ({"source": str(prompts(tmp_path)), "name": "tiny"}, InputError, "already"),
        ({"source": "tiny", "answerers": [{"name": "a", "model": "./no"}]}, NotFoundError, "no"),
    ]
    for fields, kind, words in wrong:
        config = GenerateConfig(**{"name": "mine", "answerers": [ok], **fields})
        with pytest.raises(kind, match=words):
            create_generate(workspace, config)
    with pytest.raises(InputError, match="a judge called 'strict' already"):
        create_judge(workspace, JudgingConfig(crowd="tiny", name="strict", model="org/m"))
    with pytest.raises(NotFoundError, match="no model 'smal-1b'"):
        create_judge(
            workspace, JudgingConfig(crowd="tiny", name="n", model="org/m", models=("smal-1b",))
        )
    with pytest.raises(CrowdSelectError, match="two models have the same name"):
        GenerateConfig.parse({"source": "tiny", "name": "x", "answerers": [ok, ok]}, "x")

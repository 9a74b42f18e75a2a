"""What a scorer found stays with its column, in the terminal and on the crowd's page."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from crowdselect import jobs, pipeline
from crowdselect.cli import main
from crowdselect.pipeline.scoring import ScoreConfig, create_score
from tests.pipeline import tiny
from tests.scoring.served import serve

N = 12


@pytest.fixture
def crowd(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("CROWDSELECT_WORKSPACE", str(workspace.root))
    return pipeline.ingest(
        workspace, "table", [tiny.write_tidy(tmp_path, tiny.frame(N))], name="tiny"
    )


def run(workspace, scorer: str, **model) -> None:
    path = create_score(
        workspace, ScoreConfig(source="tiny", scorer=scorer, options={"models": [model]})
    )
    assert jobs.run_here(path) == "done", jobs.read(path).error


def test_the_terminal_shows_ranks_budgets_levels_and_ties(crowd, small_model, capsys):
    assert main(["score", "tiny", "-s", "selectit", "-m", str(small_model)]) == 0
    with serve(lambda question: "4\nFine.") as (url, _):
        assert main(["score", "tiny", "-s", "direct", "-m", "judge", "--server", url]) == 0
    said = capsys.readouterr().out
    for words in ("best 10%", "10% to 20%", "best 100%", "calculation", "overlap", "its best 20%"):
        assert words in said, words
    assert "selectit_token & selectit_sentence" in said
    assert "ties, levels" in said


def page():
    import os

    from crowdselect.dashboard.crowd import score_report
    from crowdselect.settings import open_workspace
    from crowdselect.store import open_crowd

    workspace = open_workspace(os.environ["CROWDSELECT_WORKSPACE"])
    score_report.show(open_crowd(workspace, "tiny"))


def test_the_page_shows_the_analysis_that_the_job_made(workspace, crowd, small_model):
    run(workspace, "selectit", model=str(small_model))
    with serve(lambda question: "4\nFine.") as (url, _):
        run(workspace, "direct", model="judge", base_url=url)
    made = pipeline.open_crowd(workspace, "tiny").score_columns()["selectit"].made
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    at = AppTest.from_function(page, default_timeout=60).run()
    assert not at.exception
    at.selectbox(key="score report").set_value("selectit").run()
    ranks, budgets, levels, overlaps = (frame.value for frame in at.dataframe)
    assert ranks["samples"].sum() == N
    assert budgets["samples"].tolist()[-1] == N
    assert budgets["mean words"].tolist() == [s["mean_length"] for s in made["analysis"]["budgets"]]
    assert dict(zip(levels["level"], levels["share"], strict=True))["selectit"] == 1
    assert len(overlaps) == 3
    at.selectbox(key="score report").set_value("direct").run()
    assert any("largest share 1" in caption.value for caption in at.caption)


def test_a_crowd_without_scores_has_no_such_part(crowd):
    at = AppTest.from_function(page, default_timeout=60).run()
    assert not at.exception
    assert not at.dataframe

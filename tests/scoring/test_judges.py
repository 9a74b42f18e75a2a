"""Scorers that ask a chat server, over a real server; DEITA and Instruction Mining."""

import numpy as np
import pytest

from crowdselect import jobs, pipeline
from crowdselect.errors import CrowdSelectError, InputError
from crowdselect.pipeline.scoring import ScoreConfig, create_score
from crowdselect.scoring import (
    Deita,
    Direct,
    InsTag,
    InsTagCrowdSelect,
    InstructionMining,
    LanguageModel,
    ModelSpec,
    Sample,
    coverage,
    score,
)
from crowdselect.scoring.deita import QUESTIONS
from crowdselect.scoring.digits import digit_tokens
from crowdselect.scoring.direct import ties
from crowdselect.scoring.instag import LABELS
from crowdselect.values import Recipe
from tests.golden import golden
from tests.pipeline import tiny
from tests.scoring.served import serve


def at(url: str) -> tuple[dict, ...]:
    return ({"model": "judge", "base_url": url, "retries": 0},)


def grade(question: str) -> str:
    number = int(question.split("Name ")[1].split()[0])
    return ["4.5\nFine.", "Score: 3", "no idea", "2\nWeak.", "11"][number % 5]


def test_direct_reads_grades_and_reports_ties(samples, tmp_path):
    with serve(grade) as (url, asked):
        table = score(samples[:10], Direct(models=at(url), dimension="help {ful}ness"), tmp_path)
        column = table.columns["direct"]
        np.testing.assert_array_equal(column.values, [4.5, 3, np.nan, 2, np.nan] * 2)
        assert column.reasons[2] == "no grade in the answer: 'no idea'"
        assert column.reasons[4] == "the grade 11 is above 5"
        assert table.report["ties"]["levels"] == {"4.5": 2, "3": 2, "2": 2}
        assert samples[0].response in asked[0]
        assert "help {ful}ness" in asked[0]
        score(samples[:10], Direct(models=at(url), dimension="help {ful}ness"), tmp_path)
        assert len(asked) == 10, "asked a second time"


def test_a_server_that_is_gone_keeps_what_it_said(samples, tmp_path):
    scorer = Direct(models=at("http://127.0.0.1:9/v1"))
    with pytest.raises(CrowdSelectError, match="does not answer"):
        score(samples[:2], scorer, tmp_path)


def test_ties_of_nothing():
    assert ties(np.array([np.nan])) == {"levels": {}, "distinct": 0, "largest_share": 0.0}


def tag(question: str) -> str:
    number = int(question.split("Name ")[1].split()[0])
    return ['Tags: ["Rivers", "rivers", "why  not"]', "[]", "no tags here"][number % 3]


def test_instag_counts_tags(samples, tmp_path):
    with serve(tag) as (url, _):
        table = score(samples[:3], InsTag(models=at(url)), tmp_path)
    np.testing.assert_array_equal(table.columns["instag"].values, [2, 0, np.nan])
    assert table.tags == {"s0": ("rivers", "why not"), "s1": ()}
    assert "no list of tags" in table.columns["instag"].reasons[2]
    assert table.report["distinct_tags"] == 2
    assert table.report["tags_per_sample"] == 1
    assert table.report["coverage"]["50%"] == 1
    assert coverage(table.tags, ["s1"]) == 0
    assert coverage(table.tags, ["s0"]) == 1


def test_instag_as_crowdselect_ran_it_counts_words_and_keeps_to_its_labels(samples, tmp_path):
    with serve(lambda q: '["algebra", "made up"]') as (url, asked):
        table = score(samples[:2], InsTagCrowdSelect(models=at(url)), tmp_path)
    assert all(label in asked[0] for label in LABELS)
    assert len(LABELS) == 29
    assert table.columns["instag_crowdselect"].values.tolist() == [6, 6]
    assert table.tags["s0"] == ("algebra",)


def test_tags_of_a_judge_feed_the_strategy(workspace, tmp_path):
    crowd = pipeline.ingest(
        workspace, "table", [tiny.write_tidy(tmp_path, tiny.frame(9))], name="tiny"
    )
    words = {i: text.split() for i, text in zip(crowd.ids, crowd.instruction_texts(), strict=True)}
    with serve(lambda q: str(q.split("Tell me about ")[1].split()[:3:2]).replace("'", '"')) as (
        url,
        _,
    ):
        path = create_score(
            workspace,
            ScoreConfig(source="tiny", scorer="instag", options={"models": list(at(url))}),
        )
        assert jobs.run_here(path) == "done", jobs.read(path).error
    crowd = pipeline.open_crowd(workspace, "tiny")
    assert set(crowd.score_columns()) == {"instag"}
    recipe = Recipe(crowd="tiny", encoder="lsa", clusters=1, budget=4, strategy="instag")
    chosen = pipeline.select(crowd, recipe)
    assert len(chosen.ids) == 4
    assert len({words[i][3] for i in chosen.ids[:2]}) == 2, "the first picks share their tags"


def test_deita_is_the_expected_level(small_model, large_model, samples, tmp_path):
    specs = tuple({"model": str(m)} for m in (small_model, large_model))
    table = score(samples[:3], Deita(models=specs), tmp_path)
    lm = LanguageModel(ModelSpec(model=str(large_model)))
    text = QUESTIONS["quality"].format(
        instruction=samples[1].instruction, response=samples[1].response
    )
    shares = lm.next_token_probabilities([lm.ids(text)], digit_tokens(lm, text, 6))[0]
    want = float(shares @ np.arange(1, 7) / shares.sum())
    columns = table.columns
    assert columns["deita_quality"].values[1] == pytest.approx(want, abs=1e-5)
    np.testing.assert_allclose(
        columns["deita"].values,
        columns["deita_complexity"].values * columns["deita_quality"].values,
    )


def test_deita_of_one_part_takes_one_model(small_model, samples, tmp_path):
    one = ({"model": str(small_model)},)
    table = score(samples[:2], Deita(models=one, parts="complexity"), tmp_path)
    assert list(table.columns) == ["deita_complexity"]
    with pytest.raises(InputError, match="one for quality, 1 were given"):
        score(samples[:2], Deita(models=one), tmp_path)


def test_instruction_mining_on_the_golden_rows(tmp_path):
    given = golden("methods")["G5_peers"]
    v1, v3 = given["instruction_mining_v1"], given["instruction_mining_v3"]
    sample = [Sample("a", "i", "r"), Sample("b", "i", "r")]
    first = InstructionMining(version="v1", reward="rew", length="len", knn6="knn6")
    inputs = {k: np.array([float(v1[k]), np.nan]) for k in ("rew", "len", "knn6")}
    column = score(sample, first, tmp_path, inputs=inputs).columns["instruction_mining"]
    assert column.values[0] == pytest.approx(v1["logL"], abs=1e-9)
    assert column.reasons == [None, "an indicator is missing"]
    third = InstructionMining(
        version="v3", reward="rew", understandability="und", naturalness="nat", coherence="coh"
    )
    inputs = {k: np.array([v3[k], 0.0]) for k in ("rew", "und", "nat", "coh")}
    column = score(sample, third, tmp_path, inputs=inputs).columns["instruction_mining"]
    assert column.values[0] == pytest.approx(v3["logL"], abs=1e-9)
    with pytest.raises(InputError, match="needs a column for reward"):
        InstructionMining(version="v3").inputs()
    with pytest.raises(InputError, match="'rew', which is not there"):
        score(sample, first, tmp_path)


def test_instruction_mining_reads_the_crowds_own_columns(workspace, tmp_path):
    crowd = pipeline.ingest(
        workspace, "table", [tiny.write_tidy(tmp_path, tiny.frame(9))], name="tiny"
    )
    options = {"reward": "best_reward", "length": "length:response:tokens", "knn6": "length"}
    path = create_score(
        workspace, ScoreConfig(source="tiny", scorer="instruction_mining", options=options)
    )
    assert jobs.run_here(path) == "done", jobs.read(path).error
    again = pipeline.open_crowd(workspace, "tiny")
    got = pipeline.metrics(again, ["instruction_mining"]).columns["instruction_mining"]
    columns = pipeline.metrics(crowd, list(options.values())).columns
    reward, length, knn6 = columns.values()
    np.testing.assert_allclose(got, 1.0694 - 0.1498 * reward + 8.257e-5 * length - 0.935 * knn6)

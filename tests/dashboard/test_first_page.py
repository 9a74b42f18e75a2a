"""The report's first page: the question, an honest answer, and no term of the field."""

import re

import numpy as np
import pytest

from crowdselect import files, jobs, pipeline
from crowdselect.charts.style import LIGHT
from crowdselect.dashboard import reads
from crowdselect.dashboard.report.build import story_of
from crowdselect.dashboard.report.first_page import first_page
from crowdselect.dashboard.report.html import html_report
from crowdselect.values import Recipe
from tests.benchmark.conftest import finished  # noqa: F401 - a fixture
from tests.dashboard import small

JARGON = re.compile(
    r"jaccard|holm|cluster|encoder|recipe|seed|p [=<]|k-means|separability|stability|reward|--\w"
    r"|percentile|budget|sha|null hypothesis|significan",
    re.IGNORECASE,
)


@pytest.fixture
def workspace(ready, monkeypatch):
    monkeypatch.setenv("CROWDSELECT_WORKSPACE", str(ready.root))
    return ready


@pytest.fixture
def crowd(workspace):
    return reads.crowd(small.NAME)


def saved(workspace, crowd, name, **fields):
    given = {"crowd": small.NAME, "encoder": small.ENCODER, "clusters": 3, "clustering": "fast",
             "budget": 20, **fields}  # fmt: skip
    chosen = pipeline.select(crowd, Recipe(**given))
    return chosen, pipeline.save_selection(workspace, chosen, name)


def words(page) -> list[str]:
    said = [page.question, page.answer, page.basis, page.alt, page.dates, *page.doubts]
    said += [text for fact in page.costs for text in (fact.label, fact.value, fact.note)]
    said += [one.reason for one in (*page.came_in, *page.left_out)]
    return said


def test_where_nothing_was_trained_nothing_is_shown(workspace, crowd):
    chosen, ours = saved(workspace, crowd, "ours")
    page = first_page(crowd, chosen, LIGHT, created=ours.created)
    assert page.answer == "Not shown yet: no model that was trained on them has been tested."
    assert page.figure is None
    assert page.doubts[0].startswith("Nothing has been measured.")
    assert [fact.value for fact in page.costs[:3]] == ["20", "none yet", "none yet"]
    assert len(page.came_in) == len(page.left_out) == 3
    assert not any(JARGON.search(text) for text in words(page)), words(page)


def test_a_difference_to_chance_is_the_answer(workspace, crowd, finished):  # noqa: F811
    chosen, ours = saved(workspace, crowd, "ours")
    drawn, chance = saved(workspace, crowd, "by-chance", strategy="random", weights={})
    rng = np.random.default_rng(0)
    weak = (rng.random(200) < 0.3).astype(float)
    strong = np.maximum(weak, (rng.random(200) < 0.5).astype(float))
    right = {"bounds": (0.0, 1.0)}
    finished("base", (weak * 0.0).tolist(), **right)
    finished("ours", strong.tolist(), selection=ours.id, run="finetune-1", **right)
    finished("chance", weak.tolist(), selection=chance.id, run="finetune-2", **right)
    gained = f"{(strong - weak).mean() * 100:.1f}"
    page = first_page(crowd, chosen, LIGHT, created=ours.created)
    assert page.answer == (
        f"Yes: such a model gets {gained} of 100 questions more right than one trained on as many "
        "drawn by chance."
    )
    low, high = map(float, re.search(r"between ([\d.]+) and ([\d.]+) more", page.basis).groups())
    assert low < float(gained) < high
    assert page.figure.data[0].x[0] == pytest.approx((strong - weak).mean() * 100)
    assert any("trained once" in doubt for doubt in page.doubts)
    assert not any(JARGON.search(text) for text in words(page)), words(page)

    other = first_page(crowd, drawn, LIGHT)
    assert other.question.endswith("which were drawn by chance?")
    assert other.answer.startswith("Yes: such a model gets")
    assert "than base, which was trained on none of them" in other.answer
    assert not any("drawn by chance" in doubt for doubt in other.doubts)


def test_no_difference_is_told_as_none_and_a_lower_loss_as_better(workspace, crowd, finished):  # noqa: F811
    chosen, ours = saved(workspace, crowd, "ours")
    _, chance = saved(workspace, crowd, "by-chance", strategy="random", weights={}, budget=30)
    rng = np.random.default_rng(1)
    one, two = rng.normal(5, 1, (2, 40))
    finished("ours", one.tolist(), selection=ours.id, run="r1", higher=False)
    finished("chance", two.tolist(), selection=chance.id, run="r2", higher=False)
    page = first_page(crowd, chosen, LIGHT)
    worse = "worse" if one.mean() > two.mean() else "better"
    assert page.answer.startswith(f"Not shown: such a model is {worse} than one trained on 30")
    assert page.answer.endswith("a difference that chance alone can make.")
    assert "worse and" in page.basis
    assert page.dates.startswith("A draft, not saved; last measured on ")


def test_what_was_made_for_the_crowd_is_in_its_cost(workspace, crowd):
    """By the journals of its jobs: a pause before a resume is no work."""
    chosen, _ = saved(workspace, crowd, "ours")
    path = jobs.create(workspace, "judge", {"crowd": crowd.name, "name": "j", "model": "m"})
    jobs.create(workspace, "judge", {"crowd": "another", "name": "j", "model": "m"})
    times = (("begin", 0), ("progress", 60), ("begin", 1000), ("progress", 1010), ("end", 1060))
    for event, t in times:
        files.append_line(path / "events.jsonl", {"event": event, "t": 5e8 + t})
    assert jobs.seconds_worked(path) == 120
    fact = first_page(crowd, chosen, LIGHT).costs[2]
    assert fact.value == "about 2 minutes"
    assert fact.note.startswith("judging about 2 minutes; ")


def test_every_reason_fits_how_it_was_chosen(workspace, crowd):
    chosen, _ = saved(workspace, crowd, "hard", weights={"difficulty": 1.0}, clusters=0, budget=6)
    page = first_page(crowd, chosen, LIGHT)
    assert page.came_in[0].reason == "It is harder for the models than 99 of 100."
    assert "easier for the models than" in page.left_out[-1].reason
    drawn, _ = saved(workspace, crowd, "drawn", strategy="random", weights={})
    page = first_page(crowd, drawn, LIGHT)
    assert {one.reason for one in page.came_in} == {"Drawn by chance."}
    by_hand, _ = saved(workspace, crowd, "pinned", pins=("q007",), bans=("q008",), budget=1)
    page = first_page(crowd, by_hand, LIGHT)
    assert [one.reason for one in page.came_in] == ["Put in by hand."]


def test_the_glossary_explains_what_the_details_say(workspace, crowd):
    chosen, _ = saved(workspace, crowd, "ours")
    story = story_of(crowd, chosen, LIGHT, title="ours")
    terms = [term for term, _ in story.glossary]
    assert {"Jaccard", "Cluster", "Difficulty"} <= set(terms)
    assert terms == sorted(terms, key=str.casefold)
    page = html_report(story).decode()
    assert page.index("What to doubt") < page.index("<h1>Details</h1>") < page.index("Words used")

"""A budget that counts no rows, on the page."""

from crowdselect import pipeline
from tests.dashboard import small
from tests.dashboard.test_workflows import draft_of, figure


def test_a_budget_in_characters_is_chosen_on_the_page_and_no_link_names_a_tokeniser(
    ready, open_page
):
    at = open_page(ready, "select", budget=20, clusters=0)
    at.selectbox(key="r.budget_in").set_value("chars").run()
    assert draft_of(at).budget_in == "chars"
    field = next(each for each in at.number_input if each.label == "Budget in characters")
    field.set_value(600).run()
    assert not at.exception
    assert not at.error
    wanted = draft_of(at)
    assert (wanted.budget, wanted.budget_in) == (600, "chars")
    chosen = pipeline.select(pipeline.open_crowd(ready, small.NAME), wanted)
    assert 0 < chosen.report["size"]["chosen"] <= 600
    assert figure(at, "Selected") == len(chosen.ids)
    link = {"budget": 600, "budget_in": "tokens", "tokenizer": "/etc"}
    at = open_page(ready, "select", clusters=0, **link)
    assert not at.exception
    assert (draft_of(at).tokenizer, draft_of(at).budget_in) == ("", "rows")

"""Every page on an empty workspace, on a small real crowd, and on a broken one."""

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from crowdselect import pipeline
from crowdselect.dashboard import pages, script
from crowdselect.settings import open_workspace
from tests.dashboard import small

PAGES = [page.path for page in pages.PAGES]
each = pytest.mark.parametrize("page", PAGES)


def texts_of(at):
    """Everything that a page says outside charts and tables."""
    kinds = (at.text, at.caption, at.markdown, at.subheader, at.warning, at.info, at.error)
    return " ".join(str(element.value) for kind in kinds for element in kind)


@each
def test_an_empty_workspace_offers_a_way_in(page, workspace, open_page):
    at = open_page(workspace, page)
    assert not at.exception
    assert not at.error
    ways = ("No crowd yet", "No saved selection", "No benchmark yet", "No study yet")
    assert any(way in texts_of(at) for way in ways)


@each
def test_a_small_crowd_is_shown_and_its_hostile_text_reaches_no_markdown(page, ready, open_page):
    """Streamlit's Markdown elements get text from data only with its punctuation escaped."""
    at = open_page(ready, page)
    assert not at.exception
    assert not at.error
    rendered = [*at.markdown, *at.caption, *at.subheader, *at.warning, *at.info]
    labels = [button.label for button in at.button]
    for value in [*(str(element.value) for element in rendered), *labels]:
        for markup in ("<script", "<img", "![x](", "$$", ":material/delete:", ":red["):
            assert markup not in value


@each
def test_a_broken_crowd_is_two_sentences_and_not_a_traceback(page, broken, open_page):
    at = open_page(broken, page)
    assert not at.exception
    assert len(at.error) == 1
    assert small.NAME in at.error[0].value


def test_two_judges_can_be_combined(ready, open_page):
    at = open_page(ready, "explore", judge="all")
    assert not at.exception
    assert at.selectbox(key="r.judge").value == "all"


def test_read_only_offers_nothing_that_writes(ready, open_page, monkeypatch):
    monkeypatch.setenv("CROWDSELECT_READ_ONLY", "1")
    writing = {"Save selection", "Pin", "Ban", "Start", "Ingest", "Save", "Write export", "Undo"}
    for page in PAGES:
        at = open_page(ready, page)
        assert not at.exception
        assert not writing & {b.label for b in at.button}, page


def test_nothing_shows_before_login_where_login_is_configured(ready, monkeypatch):
    monkeypatch.setenv("CROWDSELECT_WORKSPACE", str(ready.root))
    # AppTest's own secrets do not reach the question whether there is an [auth] section.
    auth = {"client_id": "id", "redirect_uri": "http://localhost/oauth2callback"}
    monkeypatch.setattr("streamlit.user_info.get_secrets_auth_section", lambda: auth)
    at = AppTest.from_file(script.__file__, default_timeout=60)
    at.run()
    assert not at.exception
    assert [b.label for b in at.button] == ["Log in"]
    assert small.NAME not in texts_of(at)
    assert not at.selectbox


def test_which_judge_to_trust_is_said_with_its_figures(tmp_path, open_page):
    workspace = open_workspace(tmp_path / "w")
    rows = [
        {"id": f"q{i}", "instruction": f"Say {i} please.", "reference": str(i), "model": m,
         "response": str(i) if j == i % 2 else "no idea" + ", sorry" * j,
         "knows": float(j == i % 2),
         "chatty": float(j) if j != i % 2 else -1.0}
        for i in range(20) for j, m in enumerate(("alpha-1b", "alpha-7b", "beta-2b"))
    ]  # fmt: skip
    (tmp_path / "t.csv").write_text(pd.DataFrame(rows).to_csv(index=False))
    options = {"judge_columns": "knows,chatty"}
    pipeline.ingest(workspace, "table", [tmp_path / "t.csv"], name="known", options=options)
    found = texts_of(open_page(workspace, "crowd", **{"crowd.tab": "Bias audit"}))
    assert "**knows**: its favourite is the data's own answer in 100 % of 20 instructions" in found
    assert "so it knows right from wrong" in found
    assert "**chatty**: its favourite is the data's own answer in 0 %" in found
    assert "swayed by length" in found

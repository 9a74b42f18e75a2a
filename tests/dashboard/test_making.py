"""A judge is added from the crowd page: a real job, a real server."""

import json
import time

import numpy as np

from crowdselect import jobs, pipeline
from tests.dashboard import small
from tests.scoring.served import serve


def serves(workspace, url: str, *models: str) -> None:
    names = ", ".join(f'"{model}"' for model in models)
    text = f'[mine]\nbase_url = "{url}"\nmodels = [{names}]\n'
    (workspace.root / "servers.toml").write_text(text)


def ended(workspace, kind: str) -> None:
    """Wait until the only job of a kind is done."""
    (view,) = jobs.all_runs(workspace, kind)
    deadline = time.time() + 120
    while jobs.read(view.path).state in ("waiting", "running") and time.time() < deadline:
        time.sleep(0.1)
    assert jobs.read(view.path).state == "done", jobs.read(view.path).error


def test_instructions_alone_become_a_crowd_and_then_have_rewards(workspace, open_page):
    """Generate, judge, done: from a file with one column, without leaving the page."""
    rows = "instruction\n" + "".join(f"Say {i} in words.\n" for i in range(6))
    with serve(lambda question: "7" if "grade" in question.lower() else "seven") as (url, _):
        serves(workspace, url, "talker", "grader")
        at = open_page(workspace)
        at.file_uploader(key="instructions file").set_value(("q.csv", rows.encode(), "text/csv"))
        at.text_input(key="instructions name").set_value("alone")
        at.selectbox(key="instructions server").set_value("mine").run()
        at.multiselect(key="instructions models").set_value(["talker"]).run()
        (button,) = [b for b in at.button if b.label == "Let them answer"]
        button.click().run()
        assert not at.exception
        assert not at.error, at.error[0].value
        ended(workspace, "generate")
        at.run()
        assert "alone is here" in " ".join(m.value for m in at.markdown)
        at.selectbox(key="judge server").set_value("mine").run()
        at.selectbox(key="judge model").set_value("grader").run()
        (button,) = [b for b in at.button if b.label == "Start judging"]
        button.click().run()
        ended(workspace, "judge")
    crowd = pipeline.open_crowd(workspace, "alone")
    assert (crowd.n, [m.name for m in crowd.models], crowd.judges) == (6, ["talker"], ("grader",))
    assert np.isfinite(crowd.rewards("grader").values).all()


def test_a_judge_is_started_and_its_rewards_arrive(ready, open_page):
    with serve(lambda question: "6") as (url, _):
        (ready.root / "servers.toml").write_text(
            f'[mine]\nbase_url = "{url}"\nmodels = ["grader"]\n'
        )
        at = open_page(ready)
        at.segmented_control[0].set_value("Models").run()
        assert not at.exception
        at.selectbox(key="judge server").set_value("mine").run()
        at.selectbox(key="judge model").set_value("grader").run()
        (button,) = [b for b in at.button if b.label == "Start judging"]
        assert not button.disabled
        button.click().run()
        assert not at.exception
        assert not at.error
        ended(ready, "judge")
    crowd = pipeline.open_crowd(ready, small.NAME)
    assert set(crowd.rewards("grader").values[np.isfinite(crowd.rewards("grader").values)]) == {6}


def test_scores_offer_what_is_found_and_no_reward_models_answer(ready, open_page):
    """Crowd > Scores chooses from a list; a reward model is offered to judge, not to answer."""
    heads = {"talks": "LlamaForCausalLM", "grades": "LlamaForSequenceClassification"}
    for name, head in heads.items():
        folder = ready.root / "models" / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps({"architectures": [head]}))
        (folder / "model.safetensors").touch()
    serves(ready, "http://127.0.0.1:9/v1", "served")
    at = open_page(ready)
    at.segmented_control[0].set_value("Scores").run()
    assert not at.exception
    offered = at.multiselect(key="score models").options
    assert "talks, in models" in offered
    assert "grades, in models" not in offered
    at.multiselect(key="score models").set_value([str(ready.root / "models" / "talks")]).run()
    (button,) = [b for b in at.button if b.label == "Start scoring"]
    assert not button.disabled
    at.selectbox(key="score server").set_value("mine").run()
    assert at.multiselect(key="score models").options == ["served"]
    at.segmented_control[0].set_value("Models").run()
    assert "grades, in models" not in at.selectbox(key="generate model").options
    assert "grades, in models" in at.selectbox(key="judge model").options

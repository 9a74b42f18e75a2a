"""A judge is added from the crowd page: a real job, a real server."""

import time

import numpy as np

from crowdselect import jobs, pipeline
from tests.dashboard import small
from tests.scoring.served import serve


def test_a_judge_is_started_and_its_rewards_arrive(ready, open_page):
    with serve(lambda question: "6") as (url, _):
        (ready.root / "servers.toml").write_text(f'[mine]\nbase_url = "{url}"\n')
        at = open_page(ready)
        at.segmented_control[0].set_value("Models").run()
        assert not at.exception
        at.text_input(key="judge model").set_value("grader").run()
        at.selectbox(key="judge server").set_value("mine").run()
        (button,) = [b for b in at.button if b.label == "Start judging"]
        assert not button.disabled
        button.click().run()
        assert not at.exception
        assert not at.error
        (view,) = jobs.all_runs(ready, "judge")
        deadline = time.time() + 120
        while jobs.read(view.path).state in ("waiting", "running") and time.time() < deadline:
            time.sleep(0.2)
    assert jobs.read(view.path).state == "done", jobs.read(view.path).error
    crowd = pipeline.open_crowd(ready, small.NAME)
    assert set(crowd.rewards("grader").values[np.isfinite(crowd.rewards("grader").values)]) == {6}

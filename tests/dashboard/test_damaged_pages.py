"""Pages over a workspace in which one of everything is damaged: the rest is shown, and said so."""

from crowdselect import jobs, pipeline
from crowdselect.settings import Workspace
from crowdselect.values import Recipe
from tests.dashboard import small
from tests.dashboard.conftest import Open


def test_damaged_things_are_said_and_hide_nothing(ready: Workspace, open_page: Open) -> None:
    crowd = pipeline.open_crowd(ready, small.NAME)
    for seed, name in enumerate(("good", "bad")):
        recipe = Recipe(crowd=small.NAME, strategy="random", clusters=0, budget=4, seed=seed)
        saved = pipeline.save_selection(ready, pipeline.select(crowd, recipe), name)
    (saved.path / "manifest.json").write_text("{")
    for kind in ("finetune", "benchmark"):
        jobs.create(ready, kind, {"of": "a newer version"}, run_id=kind)
    torn = jobs.create(ready, "landscape", {}, run_id="torn")
    (torn / "status.json").unlink()
    crowd.notes.append("pin", str(crowd.ids[0]))
    with (crowd.path / "notes.jsonl").open("a") as notes:
        notes.write('{"kind": "ban", "id')
    tabs = {
        "select": ("part", "Saved and compare"),
        "finetune": ("tab", "Runs"),
        "benchmark": ("tab", "Results"),
    }
    told = {}
    for page, (name, tab) in tabs.items():
        at = open_page(ready, page)
        at.segmented_control(key=f"v.{page}.{name}").set_value(tab).run()
        told[page] = " ".join(w.value for w in at.warning)
        if page == "select":
            at.button(f"damaged {saved.id}").click().run()
    assert saved.id in told["select"]
    assert not saved.path.exists()
    for page in ("finetune", "benchmark"):
        assert all(name in told[page] for name in ("finetune", "benchmark", "torn")), told[page]
    assert [s.name for s in pipeline.list_selections(ready)] == ["good"]
    report = open_page(ready)
    report.segmented_control(key="v.crowd.tab").set_value("Ingest report").run()
    assert "1 line of notes" in " ".join(w.value for w in report.warning)

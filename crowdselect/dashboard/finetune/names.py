"""What models and runs are called where people choose among them: never a path or an id alone."""

from __future__ import annotations

from pathlib import Path

from crowdselect import pipeline, settings
from crowdselect.dashboard import reads
from crowdselect.dashboard.models import packaged_models
from crowdselect.errors import NotFoundError
from crowdselect.finetune import FinetuneConfig, list_runs

TAIL = 6
"""Characters of a run's id that tell runs of one selection and model apart."""


def base_models(*, demo: bool = True) -> list[str]:
    """Models to offer: those of earlier runs, the packaged one, the demo's, its base models first.

    ``demo``: the demo's come before the packaged one, whose data are not of the demo's world.
    """
    runs = [v.config.model for v in list_runs(reads.workspace())]
    known = [*demo_models(), *packaged_models()] if demo else [*packaged_models(), *demo_models()]
    return list(dict.fromkeys([*runs, *known]))


def demo_models() -> list[str]:
    """Folders of the demo's models, the largest base model first; none where there is no demo."""
    try:
        folder = settings.demo_data() / "models"
    except NotFoundError:
        return []
    found = sorted(path.parent for path in folder.glob("*/config.json"))
    bases = [path for path in found if path.name.startswith("base-")]
    return [str(path) for path in (*reversed(bases), *(p for p in found if p not in bases))]


def model_words(model: str) -> str:
    """A folder by its last part, a hub id as it is."""
    if model in demo_models():
        return f"{Path(model).name} (demo)"
    if model in packaged_models():
        return f"{Path(model).name} (at hand)"
    return Path(model).name if Path(model).is_absolute() else model


def selection_names() -> dict[str, str]:
    """Id -> name of every saved selection."""
    return {s.id: s.name for s in pipeline.list_selections(reads.workspace())}


def trained_on(config: FinetuneConfig, names: dict[str, str]) -> str:
    """The selection by its name (its id where it was removed), or the name of the file."""
    if config.origin:
        return names.get(config.origin.selection, config.origin.selection)
    return Path(config.data).name


def run_words(identity: str, config: FinetuneConfig, names: dict[str, str]) -> str:
    """Selection, model, and the end of the run's id."""
    return f"{trained_on(config, names)}, {model_words(config.model)}, {identity[-TAIL:]}"


def targets() -> dict[str, str]:
    """What can be benchmarked -> how it is called: finished runs, then models."""
    names = selection_names()
    runs = [v for v in list_runs(reads.workspace()) if v.state == "done"]
    found = {v.id: run_words(v.id, v.config, names) for v in runs}
    return found | {model: model_words(model) for model in base_models()}

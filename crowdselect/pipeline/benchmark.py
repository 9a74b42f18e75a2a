"""A fine-tuning run, a folder, a hub id or a served model -> what a benchmark tests."""

from __future__ import annotations

from pathlib import Path

from crowdselect import files, jobs
from crowdselect.benchmark import (
    BenchmarkConfig,
    BenchmarkView,
    SubjectConfig,
    Suite,
    create,
    list_results,
    read_results,
)
from crowdselect.benchmark.judgments import Judged, find_judgments
from crowdselect.errors import InputError, NotFoundError
from crowdselect.finetune import FinetuneConfig, output_model
from crowdselect.lm.packaged import located
from crowdselect.origin import Origin
from crowdselect.pipeline.selection.saving import find_selection
from crowdselect.registry import content_key, did_you_mean
from crowdselect.settings import Workspace


def subject_of(
    workspace: Workspace,
    target: str,
    *,
    name: str = "",
    endpoint: str = "",
    adapter: str = "",
    chosen_on: tuple[str, ...] = (),
) -> SubjectConfig:
    """What ``target`` means: a fine-tuning run's id, a folder (model or adapter), else a hub id.

    ``name`` is what results call it (runs of one name are seeds of one another); ``endpoint`` is
    the base URL of a server that serves ``target``; ``chosen_on`` names benchmarks on which its
    recipe was chosen, beside those that its selection was saved with.

    Raises
    ------
    CrowdSelectError
        For a run without a model yet, or what looks like a path and is no folder.
    """
    if endpoint:
        return SubjectConfig(
            name=name or target, model=target, endpoint=endpoint, chosen_on=chosen_on
        )
    run = _run_folder(workspace, target)
    if run is not None:
        return _of_run(workspace, run, name, chosen_on)
    target = located(target, workspace.cache)
    folder = Path(target).expanduser()
    if folder.is_dir():
        return _of_folder(folder.absolute(), name, adapter, chosen_on)
    if target.startswith((".", "~", "/")) or target.count("/") > 1:
        raise NotFoundError(f"There is no folder {target}.", "Give a run, a folder or a hub id.")
    if "/" not in target:
        known = [view.id for view in jobs.all_runs(workspace, "finetune")]
        raise NotFoundError(
            f"{target!r} is neither a run of {workspace.root} nor a folder, and a hub id has the "
            "form OWNER/NAME.",
            did_you_mean(target, known),
        )
    return SubjectConfig(
        name=name or target, model=target, adapter=adapter or None, chosen_on=chosen_on
    )


def judged_runs(
    workspace: Workspace,
    benchmark: str,
    judgments: Path,
    *,
    model: str = "",
    judge: str = "",
    questions: str = "",
) -> list[Path]:
    """Make a run (not started) for each model and judge that ``judgments`` holds: a file or folder
    of arena-hard-auto, FastChat (``mt-bench``) or alpaca_eval.

    ``model`` and ``judge`` keep only theirs. ``questions`` tells MT-Bench's categories; empty:
    ``question.jsonl`` where FastChat keeps it, beside the folder of the judgments.

    Raises NotFoundError or InputError where there is nothing to score.
    """
    every = find_judgments(benchmark, judgments.expanduser())
    found = [j for j in every if model in ("", j.model) and judge in ("", j.judge)]
    if not found:
        known = ", ".join(sorted({f"{j.model} by {j.judge or 'an unnamed judge'}" for j in every}))
        wanted = f"{model or 'any model'} by {judge or 'any judge'}"
        raise InputError(f"{judgments} has no judgments of {wanted}.", f"It has: {known}.")
    return [create(workspace, _of_judgments(benchmark, judged, questions)) for judged in found]


def _of_judgments(benchmark: str, judged: Judged, questions: str) -> BenchmarkConfig:
    options: dict[str, bool | int | float | str] = {
        "judgments": str(judged.file),
        "judged_by": judged.judge,
    }
    if judged.anchor:
        options["anchor"] = judged.anchor
    beside = judged.file.absolute().parent.parent / "question.jsonl"
    if benchmark == "mt-bench" and (questions or beside.is_file()):
        options["questions"] = questions or str(beside)
    return BenchmarkConfig(
        subject=SubjectConfig(name=judged.model, model=judged.model),
        suites=(Suite(name=benchmark, options=options),),
    )


def benchmark_views(workspace: Workspace, keys: list[str]) -> list[BenchmarkView]:
    """Benchmark runs by their ids; a fine-tuning run, a model's or a selection's name means all
    of its results.

    Raises NotFoundError for a key that none answers to.
    """
    known = list_results(workspace)
    found: dict[str, BenchmarkView] = {}
    for key in keys:
        path = workspace.runs / key
        if any(view.id == key for view in known):
            hits = [read_results(path)]
        else:
            hits = [v for v in known if key in _names(v)] or _of_selection(workspace, key, known)
        if not hits:
            names = {name for v in known for name in _names(v)}
            raise NotFoundError(f"There is no benchmark run {key!r}.", did_you_mean(key, names))
        found |= {view.id: view for view in hits}
    return list(found.values())


def _of_selection(
    workspace: Workspace, key: str, known: list[BenchmarkView]
) -> list[BenchmarkView]:
    try:
        saved = find_selection(workspace, key)
    except NotFoundError:
        return []
    return [view for view in known if view.config.subject.selection == saved.id]


def _names(view: BenchmarkView) -> set[str]:
    """What a person may call a benchmark run."""
    subject = view.config.subject
    return {view.id, view.name, *filter(None, (subject.run, subject.selection))}


def _run_folder(workspace: Workspace, target: str) -> Path | None:
    for folder in (workspace.runs / target, Path(target).expanduser()):
        if (folder / "config.json").is_file() and (folder / "status.json").is_file():
            if jobs.read_record(folder).kind != "finetune":
                raise InputError(f"{target} is no fine-tuning run.", "Name one that made a model.")
            return folder.absolute()
    return None


def _of_run(
    workspace: Workspace, run: Path, name: str, chosen_on: tuple[str, ...]
) -> SubjectConfig:
    made = output_model(run)
    record = jobs.read_record(run)
    config = FinetuneConfig.parse(record.config, str(run))
    origin = config.origin
    known = record.provenance.get("data_sha256")
    data = known or (origin.selection if origin else config.data)
    label, declared = _told(workspace, origin) if origin else (Path(config.data).stem, ())
    how = [Path(config.model).name]
    how += ["LoRA"] if made.adapter else []
    how += [config.method] if config.method != "sft" else []
    return SubjectConfig(
        name=name or f"{label} ({', '.join(how)})",
        model=made.base if made.adapter else str(made.path.absolute()),
        adapter=str(made.path.absolute()) if made.adapter else None,
        base=None if made.adapter else config.model,
        run=run.name,
        training_seed=config.seed,
        variant="" if name else _variant(config, data),
        origin=origin,
        chosen_on=tuple(dict.fromkeys((*chosen_on, *declared))),
        trust_remote_code=config.trust_remote_code,
    )


def _variant(config: FinetuneConfig, data: str) -> str:
    """Everything that made the model but the seed; runs that share it are seeds of one another."""
    return content_key([data, config.result_options()])


def _told(workspace: Workspace, origin: Origin) -> tuple[str, tuple[str, ...]]:
    """A selection's name and what it was chosen on: as said now, or then if it was removed."""
    try:
        saved = find_selection(workspace, origin.selection)
    except NotFoundError:
        return origin.name or origin.selection, origin.chosen_on
    return saved.name, saved.chosen_on


def _of_folder(folder: Path, name: str, adapter: str, chosen_on: tuple[str, ...]) -> SubjectConfig:
    label = name or folder.name
    if (folder / "adapter_config.json").is_file():
        base = files.read_json(folder / "adapter_config.json")["base_model_name_or_path"]
        return SubjectConfig(name=label, model=base, adapter=str(folder), chosen_on=chosen_on)
    return SubjectConfig(
        name=label,
        model=str(folder),
        adapter=str(Path(adapter).expanduser().absolute()) if adapter else None,
        chosen_on=chosen_on,
    )

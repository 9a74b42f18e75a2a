"""An export or a fine-tuned model -> a repository on the hub, after what it will hold is shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crowdselect.benchmark import BenchmarkView, list_results
from crowdselect.deeds import deed
from crowdselect.export import FORMATS, Export
from crowdselect.finetune import output_model, read_run
from crowdselect.hub import PushPlan, plan_push, push
from crowdselect.settings import Workspace

MEASURED = "## Benchmarks"


def plan_export_push(
    made: Export, repo: str, *, public: bool = False, licence: str | None = None
) -> PushPlan:
    """What pushing an export as a data set would do; see :func:`crowdselect.hub.plan_push`."""
    return plan_push(
        made.path, repo, "dataset", public=public, licence=licence, facts=_facts(made.manifest)
    )


def plan_model_push(
    workspace: Workspace, run: Path, repo: str, *, public: bool = False, licence: str | None = None
) -> PushPlan:
    """What pushing a run's model would do: adapter or weights, tokenizer, card with benchmarks.

    Folders of this machine are cut to their last part in what is sent. Raises CrowdSelectError
    where the run has no model yet.
    """
    made, view = output_model(run), read_run(run)
    base = made.base
    hidden = [base] if Path(base).is_absolute() else []
    what = f"An adapter of {Path(base).name}" if made.adapter else "A full model"
    facts = [f"{what}, trained by the run {view.id}{'' if made.final else ', not finished'}."]
    if hidden:
        facts.append(f"Its base is the folder {Path(base).name} here: others need that model, too.")
    return plan_push(
        made.path,
        repo,
        "model",
        public=public,
        licence=licence,
        facts=facts,
        card=measured_card(workspace, run),
        hidden=hidden,
    )


def send(workspace: Workspace, plan: PushPlan) -> str:
    """Do what ``plan`` says and note it in the log of deeds; return the commit's address."""
    with deed(workspace, "push", f"{plan.kind} {plan.repo}", details=plan.lines()[0][:200]):
        return push(plan)


def measured_card(workspace: Workspace, run: Path) -> str:
    """The card of a run's model, and what its benchmarks gave: each links to its run."""
    path = output_model(run).path / "README.md"
    text = path.read_text(encoding="utf-8") if path.exists() else f"# {run.name}\n"
    found = [v for v in list_results(workspace) if v.config.subject.run == run.name and v.outcomes]
    if not found:
        return text
    rows = [line for view in reversed(found) for line in _rows(view)]
    table = "\n".join(("| benchmark | score | 95 % interval | questions | run |",
                       "|---|---|---|---|---|", *rows))  # fmt: skip
    return f"{text.rstrip()}\n\n{MEASURED}\n\n{table}\n"


def _rows(view: BenchmarkView) -> list[str]:
    lines = []
    for outcome in view.outcomes:
        best = outcome.headline
        low, high = best.interval.low, best.interval.high
        quick = " (a quick look)" if outcome.quick_look else ""
        lines.append(
            f"| {outcome.benchmark}, {best.metric}{quick} | {best.interval.value:.4g} | "
            f"{low:.4g} to {high:.4g} | {best.n:,} | `{view.id}` |"
        )
    return lines


def _facts(manifest: Mapping[str, Any]) -> list[str]:
    counts, form = manifest["counts"], manifest["format"]["name"]
    columns = [name for name, _ in FORMATS[form].columns]
    held = f", {counts['test']:,} of them for testing" if "test" in counts else ""
    who = ", ".join(f"{name} {n:,}" for name, n in list(manifest["responders"].items())[:8])
    return [
        f"Rows: {counts['exported']:,}{held}, in the form {form}.",
        f"Columns: {', '.join(columns)}.",
        f"Answers by: {who}. The manifest holds crowd, recipe and versions.",
    ]

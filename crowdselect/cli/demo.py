"""``crowdselect demo``: the whole loop on the demo crowd, in minutes, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from crowdselect.cli.options import JsonOption, SeedOption, WorkspaceOption, example
from crowdselect.cli.terminal import print_json, print_table, progress, say
from crowdselect.settings import open_workspace

if TYPE_CHECKING:
    from crowdselect.demo import Study


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", epilog=example("crowdselect demo", "crowdselect demo --lora"))(demo)


def demo(
    budget: Annotated[int, typer.Option(help="Instructions each strategy chooses", min=1)] = 600,
    base: Annotated[str, typer.Option(help="base-0.2m or base-0.5m")] = "base-0.5m",
    lora: Annotated[bool, typer.Option("--lora", help="Train an adapter")] = False,
    limit: Annotated[
        int | None, typer.Option(help="Ask only so many held-out tasks (a quick look)")
    ] = None,
    seed: SeedOption = 42,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Select, fine-tune and benchmark on the demo crowd of small models, in minutes."""
    from crowdselect.demo import StudyPlan, study

    plan = StudyPlan(
        budget=budget,
        base=base,
        mode="lora" if lora else "full",
        learning_rate=5e-3 if lora else 1e-3,
        limit=limit,
        seed=seed,
    )
    with progress() as report:
        found = study(open_workspace(workspace), plan, report)
    if json:
        return print_json(found)
    return _show(found)


def _show(found: Study) -> None:
    for benchmark in found.comparison.benchmarks:
        rows = [
            (
                s.name,
                s.interval.value,
                f"{s.interval.low:.3f} to {s.interval.high:.3f}",
                s.questions,
            )
            for s in benchmark.scores
        ]
        print_table(("trained on", benchmark.unit, "95 % interval", "held-out tasks"), rows)
    for line in found.comparison.sentences():
        say(line)
    say(
        f"{found.plan.budget} instructions each, {found.seconds:.0f} s. A demo crowd of small "
        "models in a synthetic world: it shows that the loop works, not which strategy is best."
    )

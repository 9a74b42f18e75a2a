"""What training on a selection was worth: the report's chapters on its benchmark results."""

from __future__ import annotations

from collections.abc import Sequence

from crowdselect.benchmark import BenchmarkView, list_results, results_frame
from crowdselect.charts.benchmark_scores import benchmark_scores
from crowdselect.charts.style import Palette
from crowdselect.dashboard import reads
from crowdselect.dashboard.benchmark.results import comparison
from crowdselect.dashboard.report.story import Chapter
from crowdselect.dashboard.text import sentences


def result_chapters(selection: str, p: Palette) -> list[Chapter]:
    """A chapter per benchmark that a model trained on ``selection`` (its id) finished.

    Other results on the same questions stand beside it, because a score alone says nothing.
    """
    views = [view for view in list_results(reads.workspace()) if view.outcomes]
    own = {view.name for view in views if view.config.subject.selection == selection}
    labels = {o.benchmark: o for v in views if v.name in own for o in v.outcomes}
    found = []
    for label, outcome in labels.items():
        asked = [v for v in views if any(o.benchmark == label for o in v.outcomes)]
        frame = results_frame(asked)
        overall = frame[
            (frame["benchmark"] == label)
            & (frame["category"] == "")
            & (frame["metric"] == outcome.headline.metric)
        ]
        if not overall["quick_look"].all():
            overall = overall[~overall["quick_look"]]
        better = "higher" if outcome.higher_is_better else "lower"
        words = [
            f"{outcome.title}: {outcome.unit}, {better} is better, with 95 % intervals",
            *_differences(label, asked, selection),
        ]
        fig = benchmark_scores(overall, outcome.headline.metric, p)
        chapter = Chapter("What it was worth", list(sentences(words)), fig, f"Scores on {label}")
        found.append(chapter)
    return found


def _differences(label: str, views: Sequence[BenchmarkView], selection: str) -> list[str]:
    """The paired differences that a model of ``selection`` takes part in, and what limits them."""
    compared = comparison(views)
    if compared is None:
        return []
    own = {
        group.name
        for group in compared.groups
        if any(view.config.subject.selection == selection for view in group.views)
    }
    words: list[str] = []
    for found in compared.benchmarks:
        if found.benchmark == label:
            words += [d.sentence() for d in found.differences if own & {d.first, d.second}]
            words += found.warnings
    return words

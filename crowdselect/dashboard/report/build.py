"""A selection of a crowd -> its story: the same numbers that the command line prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from crowdselect import __version__, pipeline
from crowdselect.charts.histogram_shift import histogram_shift
from crowdselect.charts.leaderboard import leaderboard
from crowdselect.charts.plane import plane
from crowdselect.charts.robustness import robustness as draw_robustness
from crowdselect.charts.share_shift import share_shift
from crowdselect.charts.style import Palette
from crowdselect.chosen import Selection
from crowdselect.dashboard import reads, shell
from crowdselect.dashboard.cache import cached
from crowdselect.dashboard.crowd.board import called_by
from crowdselect.dashboard.report.first_page import first_page
from crowdselect.dashboard.report.glossary import glossary
from crowdselect.dashboard.report.quality import changes_since, provenance, quality_chapters
from crowdselect.dashboard.report.results import result_chapters
from crowdselect.dashboard.report.story import Chapter, Example, Fact, Story
from crowdselect.dashboard.report.studies import study_chapters
from crowdselect.dashboard.select import command, live, robust
from crowdselect.dashboard.text import n_of_m, number, percent, plural, sentences
from crowdselect.metrics import METRICS, build_metric, parse_column
from crowdselect.selection import STRATEGIES
from crowdselect.store import Crowd
from crowdselect.values import IntArray, Recipe

EXAMPLES = 6
ANSWER_CHARS = 4_000


@cached(spinner="Writing the report")
def selection_of(crowd: Crowd, recipe: Recipe) -> Selection:
    """What ``recipe`` chooses, with the full report."""
    return pipeline.select(reads.session(crowd), recipe)


def story_of(
    crowd: Crowd,
    chosen: Selection,
    p: Palette,
    *,
    title: str,
    note: str = "",
    created: str = "",
    version: str = __version__,
) -> Story:
    """The whole story of ``chosen``, saved at ``created``, with figures in the palette ``p``.

    ``version`` made it. Of a crowd that has changed since, what is no longer there is left out and
    said.
    """
    changed = changes_since(crowd, chosen)
    chosen = _still_there(crowd, chosen)
    rows = crowd.rows(chosen.ids)
    chapters = [
        Chapter("The crowd has changed", changed) if changed else None,
        _crowd_chapter(crowd, chosen.recipe, p),
        _recipe_chapter(crowd, chosen.recipe),
        *_choice_chapters(crowd, chosen, rows, p),
        *quality_chapters(chosen),
        *_robustness_chapter(crowd, chosen.recipe, p),
        _baseline_chapter(chosen.report),
        *result_chapters(chosen.recipe.id, p),
        *study_chapters(crowd.name, p),
    ]
    told = [c for c in chapters if c is not None]
    return Story(
        title=title,
        subtitle=note or f"{plural(len(rows), 'instruction')} chosen from {_called(crowd)}",
        first=first_page(crowd, chosen, p, created=created, changed=bool(changed)),
        facts=_facts(crowd, chosen),
        chapters=told,
        examples=_examples(crowd, chosen, rows),
        glossary=glossary(_words(told)),
        colophon=f"{provenance(crowd, chosen, version)} {_origin(crowd)}",
    )


def _still_there(crowd: Crowd, chosen: Selection) -> Selection:
    """The selection without what the crowd no longer holds."""
    kept = [i for i, identity in enumerate(chosen.ids) if identity in crowd.row_of]
    if len(kept) == len(chosen.ids):
        return chosen
    return replace(
        chosen,
        ids=chosen.ids[kept],
        scores=chosen.scores[kept],
        contributions={name: v[kept] for name, v in chosen.contributions.items()},
        clusters=chosen.clusters[kept],
        reasons=tuple(chosen.reasons[i] for i in kept),
        models=tuple(chosen.models[i] for i in kept),
    )


def _called(crowd: Crowd) -> str:
    return f"{crowd.name}, a {shell.DEMO}" if reads.is_demo(crowd) else crowd.name


def _words(chapters: Sequence[Chapter]) -> list[str]:
    """Everything that the details say."""
    tables = [t.to_csv(index=False) for c in chapters if (t := c.table) is not None]
    return [*tables, *(text for c in chapters for text in (c.title, c.alt, *c.sentences))]


def _origin(crowd: Crowd) -> str:
    if reads.is_demo(crowd):
        return f"The {shell.DEMO}. {shell.DEMO_HELP}"
    return f"Read from {', '.join(crowd.report.files[:3])}."


def _facts(crowd: Crowd, chosen: Selection) -> list[Fact]:
    report = chosen.report
    tie = report["tie_block"]
    overlap = report.get("overlap", {}).get("random")
    return [
        Fact("chosen", f"{len(chosen.ids):,}", f"of {report['eligible']:,} eligible"),
        Fact("instructions", f"{crowd.n:,}", "in the crowd"),
        Fact("models", f"{len(crowd.models):,}", f"{plural(len(crowd.judges), 'judge')}"),
        *_answer_facts(report),
        Fact("ties at the cut", f"{tie['size']:,}", f"{tie['taken']:,} of them drawn"),
        *([Fact("vs. random", percent(overlap), "Jaccard index")] if overlap is not None else []),
    ]


def _answer_facts(report: Mapping[str, Any]) -> list[Fact]:
    told = report.get("answers")
    if not told or told["below_full_reward"] is None:
        return []
    share = percent(told["below_full_reward"] / max(told["rewarded"], 1), 0)
    return [Fact("below full reward", share, "of the training answers")]


def _crowd_chapter(crowd: Crowd, recipe: Recipe, p: Palette) -> Chapter:
    judge = reads.judge_of(crowd, recipe)
    lines = [line for line in crowd.report_lines() if line]
    if judge is None:
        return Chapter("The crowd", lines)
    called, unit = called_by(judge)
    fig = leaderboard(reads.leaderboard(crowd, judge), called, p)
    return Chapter("The crowd", lines, fig, f"Models by mean {unit}, with 95 % intervals")


def _recipe_chapter(crowd: Crowd, recipe: Recipe) -> Chapter:
    strategy = STRATEGIES[recipe.strategy]
    words = [strategy.summary, f"Source: {strategy.source}"]
    if recipe.mix and "clusters" in strategy.needs:
        words.append(f"Shares by a column of the data: {recipe.mix}")
    elif recipe.clusters and "clusters" in strategy.needs:
        words.append(
            f"Equal shares from {recipe.clusters} clusters of alike instructions "
            f"(encoder {recipe.encoder}, seed {recipe.seed})"
        )
    if recipe.pins or recipe.bans:
        words.append(
            f"By hand: {plural(len(recipe.pins), 'instruction')} pinned, "
            f"{len(recipe.bans):,} banned"
        )
    return Chapter(
        "The recipe",
        list(sentences(words)),
        table=_weights(recipe) if recipe.strategy == "crowdselect" else None,
        code=f"{command.command(recipe)}\n\n# {command.RECIPE_FILE}\n{recipe.to_toml()}",
    )


def _weights(recipe: Recipe) -> pd.DataFrame:
    rows = []
    for name, weight in recipe.weights.items():
        known = parse_column(name).metric in METRICS
        metric = build_metric(name)[0] if known else None
        meaning = metric.direction if metric else "an imported score"
        rows.append((name, number(weight), meaning, metric.source if metric else ""))
    return pd.DataFrame(rows, columns=["metric", "weight", "meaning", "source"])


def _choice_chapters(crowd: Crowd, chosen: Selection, rows: IntArray, p: Palette) -> list[Chapter]:
    recipe, report = chosen.recipe, chosen.report
    mask = crowd.mask(rows)
    result = [Chapter("What was chosen", list(sentences(_chosen_words(report))))]
    if reads.has_landscape(crowd, recipe.encoder, recipe.seed):
        fig = plane(pipeline.plane_of(crowd, recipe.encoder, recipe.seed).xy, mask, p)
        words = ["Every instruction on a plane; alike ones are close. The chosen ones are blue."]
        result.append(Chapter("On the map", words, fig, "Map with the chosen instructions"))
    labels, pool, own = live.clusters(crowd, recipe, rows)
    if labels:
        fig = share_shift(labels, pool, own, p)
        result.append(Chapter("By cluster", (), fig, "Clusters in the pool and in the selection"))
    edges, pool, own = live.length_histogram(crowd, rows)
    fig = histogram_shift(edges, pool, own, "characters per instruction", p, log=True)
    result.append(Chapter("By length", _length_words(report), fig, "Length in pool and selection"))
    labels, pool, own = live.best_models(crowd, recipe, rows)
    if labels:
        fig = share_shift(labels, pool, own, p)
        result.append(Chapter("By best model", (), fig, "Best models in pool and selection"))
    return result


def _chosen_words(report: Mapping[str, Any]) -> list[str]:
    eligible = n_of_m(report["selected"], report["eligible"], "eligible instructions")
    words = [f"{eligible} were chosen, of {report['pool']:,} in the crowd"]
    words += [f"{count:,} left out: {cause}" for cause, count in report["excluded"].items()]
    if report["exact_duplicates"]:
        words.append(f"{report['exact_duplicates']:,} repeat a better-scored instruction")
    if report["near_duplicates"]:
        words.append(f"{report['near_duplicates']:,} are too similar to a better-scored one")
    tie = report["tie_block"]
    if tie["size"]:
        words.append(
            f"At the cut {tie['size']:,} rows have equal scores; a seeded draw took "
            f"{tie['taken']:,} of them"
        )
    else:
        words.append("No tie at the cut: no draw decided")
    calc = report.get("calc_share")
    if calc and calc["pool"] is not None and calc["selected"] is not None:
        words.append(
            f"Instructions that ask for a calculation: {percent(calc['pool'], 1)} of the crowd, "
            f"{percent(calc['selected'], 1)} of the selection"
        )
    return [*words, *report["warnings"]]


def _length_words(report: Mapping[str, Any]) -> list[str]:
    length = report.get("length")
    if not length:
        return []
    return list(
        sentences(
            [
                f"Median {what}: {number(length[what]['pool']['median'])} {length['unit']} in the "
                f"crowd, {number(length[what]['selected']['median'])} in the selection"
                for what in ("instruction", "response")
            ]
        )
    )


def _robustness_chapter(crowd: Crowd, recipe: Recipe, p: Palette) -> list[Chapter]:
    found = robust.robustness_of(crowd, recipe)
    if not found.left_out:
        return []
    fig = draw_robustness(robust.frame(found), p)
    words = ["The selection was made again without each model, family and judge."]
    words.append(robust.least_words(found))
    return [Chapter("How much depends on one part", words, fig, "Overlap without each part")]


def _baseline_chapter(report: Mapping[str, Any]) -> Chapter | None:
    overlap = report.get("overlap")
    if not overlap:
        return None
    rows = [(name, "\N{EN DASH}" if v is None else percent(v, 1)) for name, v in overlap.items()]
    return Chapter(
        "Compared with simple baselines",
        ["Jaccard index with selections of the same size made by chance, by length, by reward."],
        table=pd.DataFrame(rows, columns=["baseline", "overlap"]),
    )


def _examples(crowd: Crowd, chosen: Selection, rows: IntArray) -> list[Example]:
    """Evenly spaced ranks, the best first."""
    if not len(rows):
        return []
    places = np.unique(np.linspace(0, len(rows) - 1, min(EXAMPLES, len(rows))).astype(int))
    names = [m.name for m in crowd.models]
    columns = np.full(crowd.n, -1, dtype=np.int64)
    for i in places:
        model = chosen.models[i]
        columns[rows[i]] = names.index(model) if model in names else -1
    answers: Sequence[str | None] = crowd.responses_of(columns)
    texts = crowd.instruction_texts(rows[places])
    return [
        Example(
            rank=int(i) + 1,
            id=str(chosen.ids[i]),
            instruction=text,
            answer=(answers[rows[i]] or "")[:ANSWER_CHARS] or None,
            model=chosen.models[i],
            reason=chosen.reasons[i],
        )
        for i, text in zip(places, texts, strict=True)
    ]

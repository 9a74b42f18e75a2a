"""A row's metrics: value, percentile, and a sentence each; and why it is in the draft or not."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st
from markupsafe import Markup

from crowdselect.dashboard import grades, reads
from crowdselect.dashboard.text import number, shorten
from crowdselect.errors import CrowdSelectError
from crowdselect.metrics import METRICS, build_metric, parse_column, why_of
from crowdselect.store import Crowd
from crowdselect.values import Recipe

TABLE = Markup(
    "<style>.cs-why{{width:100%;border-collapse:collapse;font-size:.95em}}"
    ".cs-why th{{text-align:left;font-weight:600;opacity:.8}}"
    ".cs-why th,.cs-why td{{padding:.25rem .6rem .25rem 0;vertical-align:top;"
    "border-bottom:1px solid color-mix(in srgb,currentColor 14%,transparent)}}"
    ".cs-why .n{{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}}"
    ".cs-why .bar{{display:inline-block;width:4.2rem;height:.5em;border-radius:3px;"
    "background:color-mix(in srgb,currentColor 14%,transparent);margin-right:.4em}}"
    ".cs-why .bar i{{display:block;height:100%;border-radius:3px;background:#2B78C5}}"
    "</style><div style='overflow-x:auto'><table class=cs-why><thead><tr><th>metric</th>"
    "<th class=n>value</th><th>percentile</th><th>why</th></tr></thead><tbody>{rows}</tbody>"
    "</table></div>"
)
ROW = Markup(
    "<tr><td>{metric}</td><td class=n>{value}</td><td style='white-space:nowrap'>"
    '<span class=bar><i style="width:{width}%"></i></span>{percentile}</td><td>{why}</td></tr>'
)


def metric_rows(crowd: Crowd, recipe: Recipe, row: int) -> pd.DataFrame:
    """``metric``, ``value``, ``percentile`` in [0, 100] and ``why`` for every metric there is."""
    found = []
    made = crowd.score_columns()
    for info in reads.metric_infos(crowd):
        column = reads.column(crowd, recipe, info.name)
        value = float(column[row])
        percentile = float(reads.percentiles(crowd, recipe, info.name)[row])
        if np.isnan(value):
            told = reads.score_reasons(crowd, info.name) if info.name in made else {}
            reason = told.get(str(crowd.ids[row]))
            why = f"No value: {reason}." if reason else "Cannot be told for this instruction."
        elif parse_column(info.name).metric in METRICS:
            why = why_of(build_metric(info.name)[0].why, column, row)
        else:
            why = why_of(partial(_imported, info.source), column, row)
        found.append((info.title or info.name, value, percentile, why))
    return pd.DataFrame(found, columns=["metric", "value", "percentile", "why"])


def _imported(source: str, value: float, percentile: float) -> str:
    return f"{source}; higher than {percentile:.0f} % of instructions."


def metrics_html(data: pd.DataFrame) -> Markup:
    """The metrics as an HTML table whose sentences wrap; text is escaped."""
    lines = [
        ROW.format(
            metric=row["metric"],
            value=number(row["value"]),
            percentile=f"{row['percentile']:.0f}" if row["percentile"] >= 0 else "",
            width=round(row["percentile"]) if row["percentile"] >= 0 else 0,
            why=row["why"],
        )
        for row in data.to_dict("records")
    ]
    return TABLE.format(rows=Markup("").join(lines))


def show(crowd: Crowd, recipe: Recipe, row: int) -> None:
    """The metrics as a table."""
    st.html(str(metrics_html(metric_rows(crowd, recipe, row))))


def verdict(crowd: Crowd, recipe: Recipe, row: int) -> str:
    """One sentence: in or out of the present draft, and why."""
    identity = str(crowd.ids[row])
    if identity in recipe.bans:
        return "Banned by hand: it cannot be selected."
    if not reads.can_pick(crowd, recipe):
        return "Whether it would be selected is known once the embeddings are computed."
    try:
        picks = reads.picks(crowd, recipe)
    except CrowdSelectError as error:
        return error.problem
    places = np.flatnonzero(picks.rows == row)
    if len(places):
        return "In the draft selection. " + picks.reasons[int(places[0])]
    if not grades.passes_gate(crowd, recipe)[row]:
        return "Not in the draft selection: none of its answers is good enough for the gate."
    if overlap := grades.overlap_of(crowd, recipe, row):
        return f"Not in the draft selection: it shares words with {overlap}, which stays out."
    if not reads.filtered(crowd, recipe)[row]:
        return "Not in the draft selection: the filters leave it out."
    clusters = reads.clustering(crowd, recipe)
    if clusters is not None and clusters.caps.get(int(clusters.labels[row])) == 0:
        return "Not in the draft selection: its cluster is left out by hand."
    return f"Not in the draft selection of {len(picks.rows):,}{_shortfall(crowd, recipe, row)}."


def _shortfall(crowd: Crowd, recipe: Recipe, row: int) -> str:
    """How far the row's score lies below the cut of its cluster."""
    if recipe.strategy != "crowdselect":
        return ""
    session = reads.session(crowd)
    score = float(session.reselector(recipe).scores(recipe.weights)[row])
    if np.isnan(score):
        return ": a metric that the recipe weighs is missing"
    outcome = session.outcome(recipe)
    label = 0
    where = ""
    if recipe.grouped:
        clusters = session.clustering(recipe)
        label = int(clusters.labels[row])
        name = clusters.names[label] if label >= 0 else "unclustered"
        where = f" of its cluster ({shorten(name, 40)})"
    cut = outcome.cuts[outcome.labels == label]
    if not len(cut) or np.isnan(cut[0]) or score > cut[0]:
        return f": its score is {number(score)}"
    if score == cut[0]:
        return f": its score {number(score)} ties with the cut{where}; a seeded draw decided"
    return f": its score {number(score)} is below the cut{where} at {number(float(cut[0]))}"

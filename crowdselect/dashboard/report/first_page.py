"""The report's first page: does training on this selection help, what did it cost, what to doubt.

Written for people who do not know the field; a test keeps its terms out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd
import plotly.graph_objects as go

from crowdselect.charts.benchmark_scores import benchmark_scores
from crowdselect.charts.style import Palette
from crowdselect.chosen import Selection
from crowdselect.dashboard import reads
from crowdselect.dashboard.report.costs import costs
from crowdselect.dashboard.report.evidence import CHANCE, UNTRAINED, Evidence, evidence_of, tested
from crowdselect.dashboard.report.story import FirstPage
from crowdselect.dashboard.report.verdicts import came_in, left_out
from crowdselect.dashboard.text import n_of_m, plural
from crowdselect.store import Crowd

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
"""Not of the machine's language: the report is the same everywhere."""
MOST_DOUBTS = 5
MOST_COMPARED = 5
"""Lines of the figure."""


def first_page(
    crowd: Crowd,
    chosen: Selection,
    p: Palette,
    *,
    created: str = "",
    changed: bool = False,
) -> FirstPage:
    """The page for ``chosen``, saved at ``created`` (ISO 8601; empty: a draft).

    ``changed``: the crowd is another one than it was then.
    """
    evidence = evidence_of(chosen.recipe)
    runs = tested(chosen.recipe)
    known = bool(runs or evidence)
    n, by_chance = len(chosen.ids), chosen.recipe.strategy == "random"
    return FirstPage(
        question=_question(n, by_chance),
        answer=_answer(evidence, was_tested=known, by_chance=by_chance),
        basis=evidence[0].basis if evidence else "",
        figure=_figure(evidence, p),
        alt="How much better or worse the model is, with 95 % intervals",
        dates=_dates(created, evidence),
        costs=costs(
            n,
            chosen.recipe.id,
            runs,
            crowd=crowd.name,
            studied=any(e.studied for e in evidence),
        ),
        came_in=came_in(crowd, chosen),
        left_out=left_out(crowd, chosen),
        doubts=[*_gravest(crowd, changed), *_doubts(crowd, chosen, evidence, known)],
    )


def _question(n: int, by_chance: bool) -> str:
    these = f"these {plural(n, 'instruction')}"
    if by_chance:
        return f"Is a model better after training on {these}, which were drawn by chance?"
    return f"Is a model better when it is trained on {these} than on as many drawn by chance?"


def _answer(evidence: Sequence[Evidence], *, was_tested: bool, by_chance: bool) -> str:
    if not evidence:
        if was_tested:
            return (
                "Not shown yet: a model trained on them was tested, but there is none to compare "
                "it with."
            )
        return "Not shown yet: no model that was trained on them has been tested."
    first = evidence[0]
    if first.kind != (UNTRAINED if by_chance else CHANCE):
        start = "Not compared with that"
    elif first.settled:
        start = "Yes" if first.better > 0 else "No"
    else:
        start = "Not shown"
    return f"{start}: such a model {first.sentence}."


def _figure(evidence: Sequence[Evidence], p: Palette) -> go.Figure | None:
    shown = [e for e in evidence if (e.test, e.unit) == (evidence[0].test, evidence[0].unit)]
    if not shown:
        return None
    scale = 100.0 if shown[0].shares else 1.0
    frame = pd.DataFrame(
        [
            {"name": f"than {e.label}", "score": e.better * scale, "low": e.low * scale,
             "high": e.high * scale, "n": e.questions}
            for e in shown[:MOST_COMPARED]
        ]
    )  # fmt: skip
    label = "more right answers, of 100" if shown[0].shares else f"better by, {shown[0].unit}"
    return benchmark_scores(frame, label, p, zero=True)


def _dates(created: str, evidence: Sequence[Evidence]) -> str:
    chosen = f"Chosen on {_day(created)}" if created else "A draft, not saved"
    measured = max((e.measured for e in evidence if e.measured), default="")
    return f"{chosen}; last measured on {_day(measured)}." if measured else f"{chosen}."


def _day(iso: str) -> str:
    """``2026-11-25T...`` -> ``25 November 2026``."""
    day = date.fromisoformat(iso[:10])
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _gravest(crowd: Crowd, changed: bool) -> list[str]:
    """What puts everything else in doubt."""
    found = []
    if reads.is_demo(crowd):
        found.append(
            "This is a demonstration: small models of our own in a made-up world of tasks. It "
            "shows how the tool works, not what helps a real model."
        )
    if changed:
        found.append("The data has changed since the choice was made; the details say how.")
    return found


def _doubts(
    crowd: Crowd, chosen: Selection, evidence: Sequence[Evidence], was_tested: bool
) -> list[str]:
    """What a careful reader would ask about, the gravest first."""
    found = []
    if not was_tested:
        found.append(
            "Nothing has been measured. Train a model on these instructions and one on as many "
            "drawn by chance, and test both on the same questions."
        )
    elif evidence and evidence[0].kind != CHANCE and chosen.recipe.strategy != "random":
        found.append(
            "Nobody has trained on as many instructions drawn by chance, which is often as good."
        )
    for one in evidence[:1]:
        found += one.doubts
        if not one.settled:
            found.append(
                "A difference too small for this test may still be there: more questions or more "
                "trainings would narrow the interval."
            )
    answers = chosen.report.get("answers", {})
    if answers.get("below_full_reward"):
        wrong, graded = answers["below_full_reward"], answers["rewarded"]
        found.append(f"{n_of_m(wrong, graded, 'answers')} to train on did not get the full grade.")
    missing = chosen.report.get("missing_rewards", {}).get(str(chosen.report.get("judge")), {})
    if missing.get("cells"):
        found.append(f"{missing['cells']:,} answers of the models have no grade.")
    budget = chosen.report.get("budget", len(chosen.ids))
    if len(chosen.ids) < budget:
        found.append(f"Only {n_of_m(len(chosen.ids), budget)} asked for could be had.")
    if len(crowd.judges) == 1:
        found.append("One judge alone graded the answers: where it errs, the choice errs.")
    found.append(
        "What holds for this model and this test need not hold for others."
        if was_tested
        else "What a choice looks like says little about what training on it does."
    )
    return list(dict.fromkeys(found))[:MOST_DOUBTS]

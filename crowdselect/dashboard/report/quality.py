"""Of the report: what is trained on, what the gate and question files kept out, and of which crowd.

All of it is told from the selection's own manifest, so that an older selection says what it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crowdselect.chosen import Selection
from crowdselect.dashboard.report.story import Chapter
from crowdselect.dashboard.select.gating import cluster_frame, metric_words, removed_words
from crowdselect.dashboard.text import n_of_m, number, percent, plural, sentences
from crowdselect.rules import TIES
from crowdselect.store import Crowd


def quality_chapters(chosen: Selection) -> list[Chapter]:
    """How good the training answers are, what the gate removes, what overlaps with questions."""
    report = chosen.report
    found = [_answers(chosen)] if report.get("answers") else []
    gate = report.get("gate")
    if gate:
        words = [f"Only instructions of which {gate['words']}", *metric_words(gate)]
        words.insert(1, removed_words(gate, report["pool"]))
        table = cluster_frame(gate) if gate["clusters"] else None
        found.append(Chapter("The gate", list(sentences(words)), table=table))
    if report.get("decontamination"):
        found.append(Chapter("Questions that stay out", _questions(report["decontamination"])))
    return found


def _answers(chosen: Selection) -> Chapter:
    told = chosen.report["answers"]
    n, words = told["n"], [f"Training answer: {told['policy'].replace('_', ' ')}"]
    if told["tied"]:
        share = percent(told["tied"] / max(n, 1), 0)
        words.append(
            f"{n_of_m(told['tied'], n, 'answers')} ({share}) are tied: another model's is as good; "
            f"{TIES[told['ties']]} decided"
        )
    else:
        words.append("No training answer is tied with another")
    if hand := told.get("by_hand"):
        words.append(
            f"{n_of_m(hand, n, 'answers')} were written by hand: no judge has graded them, and the "
            "gate lets them pass"
        )
    below = told["below_full_reward"]
    if below is not None:
        share = percent(below / max(told["rewarded"], 1), 0)
        words.append(
            f"{n_of_m(below, told['rewarded'], 'answers')} ({share}) are below full reward "
            f"({number(told['full_reward'])} by {told['judge']})"
        )
    elif told["judge"]:
        words.append(
            "The judge's rewards have no top that answers reach, so none is below full reward"
        )
    return Chapter("The answers", list(sentences(words)))


def _questions(facts: Mapping[str, Any]) -> list[str]:
    words = [
        f"{one['file']}: {plural(one['texts'], 'text')}, column {one['column']}, "
        f"sha256 {one['sha256'][:12]}"
        for one in facts["against"]
    ]
    words.append(
        f"{plural(len(facts['flagged']), 'instruction')} of the crowd share {facts['words']} or "
        "more consecutive words with them and could not be selected; others took their places"
    )
    if facts.get("pinned"):
        words.append(f"{len(facts['pinned']):,} of them are in, because a person pinned them")
    return list(sentences(words))


def changes_since(crowd: Crowd, chosen: Selection) -> list[str]:
    """What of the crowd is not as it was when ``chosen`` was made, in sentences."""
    then = chosen.report.get("crowd", {})
    if not then or then.get("fingerprint") == crowd.fingerprint:
        return []
    gone = sum(str(i) not in crowd.row_of for i in chosen.ids)
    was, now = then["fingerprint"][:16], crowd.fingerprint[:16]
    words = [
        f"Since this selection was made the fingerprint of {crowd.name} went from {was} to {now}"
    ]
    if then.get("n") != crowd.n:
        words.append(f"It had {then.get('n', 0):,} instructions and has {crowd.n:,}")
    if gone:
        words.append(f"{n_of_m(gone, len(chosen.ids), 'chosen instructions')} are no longer in it")
    words.append(
        "Counts, reasons and overlaps are those of then; figures and examples are of the crowd now"
    )
    return list(sentences(words))


def provenance(crowd: Crowd, chosen: Selection, version: str) -> str:
    """Which version, recipe and crowd made the selection, from its own manifest."""
    then = chosen.report.get("crowd", {})
    fingerprint = then.get("fingerprint", crowd.fingerprint)[:16]
    return (
        f"Made by crowdselect {version}. Recipe {chosen.recipe.id}; crowd {crowd.name}, "
        f"fingerprint {fingerprint}."
    )

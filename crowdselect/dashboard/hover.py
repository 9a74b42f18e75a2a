"""What the card beside the pointer says about a point: looked up when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence

from crowdselect.dashboard import reads
from crowdselect.dashboard.cache import state_of
from crowdselect.dashboard.scatter import HoverSource, HoverText
from crowdselect.dashboard.text import number, shorten
from crowdselect.registry import content_key
from crowdselect.store import Crowd
from crowdselect.values import Recipe

TEXT_CHARS = 220


def source(crowd: Crowd, recipe: Recipe, metrics: Sequence[str]) -> HoverSource:
    """Text and ``metrics`` of a row; its best model where there are rewards."""
    columns = {name: reads.column(crowd, recipe, name) for name in dict.fromkeys(metrics)}
    judge = reads.judge_of(crowd, recipe)
    best = None if judge is None else reads.best_model(crowd, judge)
    ties = None if judge is None else reads.best_ties(crowd, judge)
    names = [m.name for m in crowd.models]

    def lookup(row: int) -> HoverText:
        text = " ".join(crowd.instruction_texts([row])[0].split())
        facts = [(name, number(float(values[row]))) for name, values in columns.items()]
        if best is not None and ties is not None and best[row] >= 0:
            alone = ties[row] == 1
            facts.append(("best model", names[best[row]] if alone else f"tied best ({ties[row]})"))
        return HoverText(shorten(text, TEXT_CHARS), tuple(facts))

    identity = [state_of(crowd), recipe.judge, recipe.profile, *columns]
    return HoverSource(content_key(identity, 32), lookup)

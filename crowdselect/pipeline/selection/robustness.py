"""How much of a selection stays when one model, one family or one judge is left out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from crowdselect.pipeline.selection.leaving_out import parts_of, table_without, tables_without
from crowdselect.pipeline.selection.recipes import strategy_of
from crowdselect.pipeline.selection.session import Session
from crowdselect.progress import Progress, silent
from crowdselect.selection import LeftOut
from crowdselect.selection import robustness as compare_variants
from crowdselect.store import Crowd
from crowdselect.values import Recipe


@dataclass(frozen=True)
class Robustness:
    """Every leave-one-out comparison of one recipe."""

    selected: int
    """Rows of the full selection."""
    left_out: tuple[LeftOut, ...]
    """What the selection depends on most comes first."""


def robustness(crowd: Crowd | Session, recipe: Recipe, progress: Progress = silent) -> Robustness:
    """Select again without each model, each family and each judge; clusters stay as they are.

    A model's or family's rewards are removed and the metrics computed anew. Without a judge its
    metrics come from the other judges, ranks combined; a crowd with one judge leaves none out.
    Columns that do not depend on rewards stay. The strategy ``robust`` leaves out one part more,
    of what is left.
    """
    session = crowd if isinstance(crowd, Session) else Session(crowd)
    pool, strategy = session.pool(recipe, progress), strategy_of(recipe)
    full = strategy(pool).rows
    names, parts = pool.table.names, parts_of(session.crowd, recipe)
    variants = []
    for done, part in enumerate(parts):
        progress(done, len(parts), f"without {part.name}")
        table = table_without(session.crowd, recipe, names, (part,))
        more = tables_without(session.crowd, recipe, names, (part,)) if pool.without else ()
        variants.append(
            (part.kind, part.name, strategy(replace(pool, table=table, without=more)).rows)
        )
    progress(len(parts), len(parts), "robustness")
    return Robustness(len(full), compare_variants(full, variants))

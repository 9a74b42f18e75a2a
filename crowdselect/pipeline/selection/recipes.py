"""What a recipe means for one crowd: its strategy, whether it uses clusters, the rows it names."""

from __future__ import annotations

from collections.abc import Sequence

from crowdselect.errors import NotFoundError
from crowdselect.filters import EMBEDDED
from crowdselect.pipeline.selection.saving import find_selection
from crowdselect.registry import build
from crowdselect.selection import STRATEGIES, Strategy
from crowdselect.settings import Workspace
from crowdselect.store import Crowd
from crowdselect.values import Filters, IntArray, Recipe


def strategy_of(recipe: Recipe) -> Strategy:
    """The recipe's strategy with its options; raises NotFoundError or InputError."""
    return build(STRATEGIES[recipe.strategy], recipe.options)


def uses_clusters(recipe: Recipe) -> bool:
    """Tell whether the recipe's strategy takes equally from clusters."""
    strategy = strategy_of(recipe)
    wants = "clusters" in strategy.needs or bool(getattr(strategy, "quotas", False))
    return recipe.grouped and wants


def follows_encoder(recipe: Recipe) -> bool:
    """Tell whether another encoder may give other rows: clusters, near-duplicates, distances."""
    filters, needs = recipe.filters, strategy_of(recipe).needs
    if filters.near_duplicates is not None or {*filters.needs} & EMBEDDED:
        return True
    by_vectors = "vectors" in needs or "targets" in needs
    return by_vectors or (uses_clusters(recipe) and not recipe.mix)


def rows_of(crowd: Crowd, ids: Sequence[str], what: str) -> IntArray:
    """Rows of ``ids``; raises NotFoundError for one that the crowd does not have."""
    unknown = [name for name in ids if name not in crowd.row_of]
    if unknown:
        raise NotFoundError(
            f"{len(unknown)} {what} ids are not in the crowd {crowd.name}, such as {unknown[0]!r}.",
            "Take them out of the recipe, or open the crowd that they belong to.",
        )
    return crowd.rows(ids)


def with_selection_ids(workspace: Workspace, recipe: Recipe) -> Recipe:
    """``recipe`` with saved selections by id: a name can be given to another selection later."""
    named = {
        declared.name: sorted({find_selection(workspace, key).id for key in keys})
        for declared, keys in recipe.filters.active()
        if declared.needs == "selections"
    }
    if not named:
        return recipe
    filters = recipe.filters.model_dump(mode="json") | named
    return recipe.model_copy(update={"filters": Filters.parse(filters, "The filters")})

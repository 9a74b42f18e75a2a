"""Examples of what a model shall do: from files that the workspace keeps, or from tagged rows.

A recipe names them by content (``targets=SHA256``) or by tag (``targets=tag:NAME``), several parted
by commas, each a task of its own. So a recipe opens no file, and gives the same selection wherever
the workspace has them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from crowdselect.errors import InputError
from crowdselect.landscape import Vectors, embed, encoder_named
from crowdselect.pipeline.decontamination import references_of, remember
from crowdselect.pipeline.landscape import vectors
from crowdselect.progress import Progress, silent
from crowdselect.rules import QuestionFile
from crowdselect.selection import Targets
from crowdselect.settings import Workspace
from crowdselect.store import Crowd
from crowdselect.values import Recipe

TAG = "tag:"
_SHA256 = re.compile(r"[0-9a-f]{64}")


def with_targets(crowd: Crowd, recipe: Recipe, paths: Sequence[Path]) -> Recipe:
    """The recipe that selects for the examples in ``paths``; each file is a task.

    Their texts are kept in the crowd's workspace. Raises as ``read_references`` does for a file
    without texts.
    """
    given = [str(recipe.options.get("targets", "")), *(remember(crowd, p).sha256 for p in paths)]
    named = ",".join(dict.fromkeys(part for part in given if part))
    options = dict(recipe.options) if recipe.strategy == "targeted" else {}
    return recipe.model_copy(
        update={"strategy": "targeted", "options": {**options, "targets": named}}
    )


def targets_of(
    crowd: Crowd, recipe: Recipe, progress: Progress = silent
) -> tuple[Vectors, Targets | None]:
    """The crowd's vectors, and those of the recipe's targets by the same encoder.

    An encoder whose vectors depend on all texts reads both together.
    """
    texts: list[str] = []
    tasks: list[str] = []
    named = str(recipe.options.get("targets", "")).split(",")
    for name in filter(None, map(str.strip, named)):
        found = _texts(crowd, name)
        texts += found
        tasks += [name] * len(found)
    own = vectors(crowd, recipe.encoder, progress)
    if not texts:
        return own, None
    encoder = encoder_named(recipe.encoder)
    store = Workspace.holding(crowd.path).cache / "embeddings"
    if not encoder.whole_corpus:
        return own, Targets(embed(texts, encoder, store, progress), tuple(tasks))
    both = embed([*crowd.instruction_texts(), *texts], encoder, store, progress)
    return both[: crowd.n], Targets(both[crowd.n :], tuple(tasks))


def _texts(crowd: Crowd, name: str) -> list[str]:
    """The examples of one task."""
    if name.startswith(TAG):
        tag, tags = name.removeprefix(TAG), crowd.notes.state().tags
        ids = [i for i in crowd.ids if tag in tags.get(i, ())]
        if not ids:
            raise InputError(
                f"No instruction of {crowd.name} has the tag {tag!r}.",
                "Tag some on Explore, or give --target FILE.",
            )
        return crowd.instruction_texts(np.asarray(crowd.rows(ids)))
    if not _SHA256.fullmatch(name):
        raise InputError(
            f"{name!r} is no target: it is neither tag:NAME nor the sha256 of a kept file.",
            "Give --target FILE once; the recipe then names it.",
        )
    try:
        found = references_of(crowd, QuestionFile(name=name[:12], sha256=name))
    except InputError as error:
        raise InputError(
            f"The recipe selects for the examples {name[:12]}, which this workspace does not hold.",
            f"Give the file once: crowdselect select {crowd.name} --target FILE.",
        ) from error
    return [item.text for item in found.items]

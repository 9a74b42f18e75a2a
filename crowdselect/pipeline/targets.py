"""Examples of what a model shall do: from files that the workspace keeps, or from tagged rows.

A recipe names them by content (``targets=SHA256``) or by tag (``targets=tag:NAME``), several parted
by commas, each a task of its own. So a recipe opens no file, and gives the same selection wherever
the workspace has them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from crowdselect import files
from crowdselect.errors import CrowdSelectError, InputError, NotFoundError
from crowdselect.landscape import Vectors, embed
from crowdselect.lm.conversations import read_conversations
from crowdselect.lm.messages import Message, assistant, user
from crowdselect.pipeline.decontamination import place_of, references_of, remember
from crowdselect.pipeline.landscape import encoder_of
from crowdselect.progress import Progress, silent
from crowdselect.reading import sha256_of
from crowdselect.rules import QuestionFile
from crowdselect.selection import Targets
from crowdselect.settings import Workspace
from crowdselect.store import Crowd
from crowdselect.values import Recipe

TAG = "tag:"
_WHOLE = "examples"
"""Beside the kept questions of a file: each with its answer, as RDS+ reads them."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


def with_targets(crowd: Crowd, recipe: Recipe, paths: Sequence[Path]) -> Recipe:
    """The recipe that selects for the examples in ``paths``; each file is a task.

    Their texts are kept in the crowd's workspace. Raises as ``read_references`` does for a file
    without texts.
    """
    for path in paths:
        recipe = with_target(recipe, keep_target(crowd, path).sha256)
    return recipe


def keep_target(crowd: Crowd, path: Path, name: str = "") -> QuestionFile:
    """Keep the examples of a file in the crowd's workspace, with their answers where it has them.

    ``name``: what the file is called. Raises as ``read_references`` does for a file without texts.
    """
    kept = remember(crowd, path, name=name)
    place = place_of(Workspace.holding(crowd.path), kept)
    held = files.read_json(place)
    if _WHOLE not in held:
        try:
            rows = read_conversations(path).rows
        except CrowdSelectError:  # questions alone
            rows = ()
        files.write_json(place, {**held, _WHOLE: [as_example(row.messages) for row in rows]})
    return kept


def with_files(recipe: Mapping[str, Any]) -> tuple[dict[str, Any], list[Path]]:
    """Fields of a recipe whose targets may be files: those by content, and the files."""
    options = recipe.get("options") or {}
    named = [part.strip() for part in str(options.get("targets", "")).split(",")]
    paths = {part: Path(part) for part in named if Path(part).is_absolute()}
    if not paths:
        return dict(recipe), []
    for path in paths.values():
        if not path.is_file():
            raise NotFoundError(f"There is no file of targets {path}.", "Give an existing file.")
    held = ",".join(sha256_of(paths[part]) if part in paths else part for part in named)
    return {**recipe, "options": {**options, "targets": held}}, list(paths.values())


def target_words(crowd: Crowd, name: str) -> str:
    """One target as people call it: a tag, a file or rows, with how many examples it has."""
    if name.startswith(TAG):
        return f"tagged {name.removeprefix(TAG)}"
    kept = QuestionFile(name=name[:12], sha256=name)
    try:
        count = len(references_of(crowd, kept).items)
    except InputError:
        return f"{name[:12]} (not in this workspace)"
    called = files.read_json(place_of(Workspace.holding(crowd.path), kept))["file"]
    return f"{called} ({count:,})"


def with_target(recipe: Recipe, name: str) -> Recipe:
    """The recipe that selects for one target more; twice the same is once."""
    given = [*filter(None, str(recipe.options.get("targets", "")).split(",")), name]
    options = dict(recipe.options) if recipe.strategy == "targeted" else {}
    named = ",".join(dict.fromkeys(given))
    return recipe.model_copy(
        update={"strategy": "targeted", "options": {**options, "targets": named}}
    )


def targets_of(
    crowd: Crowd,
    recipe: Recipe,
    own: Vectors,
    examples: Sequence[str] | None = None,
    progress: Progress = silent,
) -> tuple[Vectors, Targets | None]:
    """The crowd's vectors (``own``), and those of the recipe's targets by the same encoder.

    An encoder whose vectors depend on all texts reads both together. ``examples``: what such an
    encoder reads of each row that reads answers too; None: it reads instructions.
    """
    texts: list[str] = []
    tasks: list[str] = []
    named = str(recipe.options.get("targets", "")).split(",")
    for name in filter(None, map(str.strip, named)):
        found = _texts(crowd, name, examples)
        texts += found
        tasks += [name] * len(found)
    if not texts:
        return own, None
    workspace = Workspace.holding(crowd.path)
    encoder, store = encoder_of(workspace, recipe.encoder), workspace.cache / "embeddings"
    if not encoder.whole_corpus:
        return own, Targets(embed(texts, encoder, store, progress), tuple(tasks))
    both = embed([*crowd.instruction_texts(), *texts], encoder, store, progress)
    return both[: crowd.n], Targets(both[crowd.n :], tuple(tasks))


def as_example(messages: Sequence[Message], answer: str | None = None) -> str:
    """A conversation as RDS+ reads it: each turn after its speaker, in open-instruct's form."""
    turns = [*messages, *([] if answer is None else [assistant(answer)])]
    return "".join(f"<|{turn['role']}|>\n{str(turn['content']).strip()}\n" for turn in turns)


def example_vectors(
    crowd: Crowd, encoder: str, examples: Sequence[str], progress: Progress = silent
) -> Vectors:
    """Unit vectors of what :func:`as_example` made of each row, shape (n, d)."""
    workspace = Workspace.holding(crowd.path)
    store = workspace.cache / "embeddings"
    return embed(list(examples), encoder_of(workspace, encoder), store, progress)


def _texts(crowd: Crowd, name: str, examples: Sequence[str] | None) -> list[str]:
    """The examples of one task."""
    if name.startswith(TAG):
        tag, tags = name.removeprefix(TAG), crowd.notes.state().tags
        ids = [i for i in crowd.ids if tag in tags.get(i, ())]
        if not ids:
            raise InputError(
                f"No instruction of {crowd.name} has the tag {tag!r}.",
                "Tag some on Explore, or give --target FILE.",
            )
        rows = np.asarray(crowd.rows(ids))
        if examples is not None:
            return [examples[row] for row in rows.tolist()]
        return crowd.instruction_texts(rows)
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
    if examples is None:
        return [item.text for item in found.items]
    kept = QuestionFile(name=name[:12], sha256=name)
    whole = files.read_json(place_of(Workspace.holding(crowd.path), kept)).get(_WHOLE)
    if whole:
        return [str(text) for text in whole]
    return [as_example([user(item.text)]) for item in found.items]

"""A selection or a file -> a fine-tune: the data file, and for preference methods the pairs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdselect import files, jobs
from crowdselect.chosen import Selection
from crowdselect.errors import NotFoundError
from crowdselect.finetune import FinetuneConfig, PairRule, create
from crowdselect.finetune.presets import method_of
from crowdselect.origin import Origin
from crowdselect.pipeline.export import export
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.pipeline.selection.pairs import selected_pairs
from crowdselect.pipeline.selection.quality import answer_words
from crowdselect.pipeline.selection.saving import SavedSelection, find_selection, load_selection
from crowdselect.progress import Progress, silent
from crowdselect.registry import content_key
from crowdselect.settings import Workspace
from crowdselect.store import Crowd


@dataclass(frozen=True)
class TrainingSource:
    """The file to train on, and the selection that it came from."""

    data: Path
    selection: SavedSelection | None
    pairs: str = ""
    """For preference pairs: how many of how many, and by which rule."""
    answers: str = ""
    """How many training answers are tied or below full reward."""

    @property
    def options(self) -> dict[str, Any]:
        """The options of a ``FinetuneConfig`` that say where the data came from."""
        if self.selection is None:
            return {"data": str(self.data)}
        saved = self.selection
        origin = Origin(
            selection=saved.id,
            name=saved.name,
            recipe=saved.recipe,
            pairs=self.pairs,
            chosen_on=saved.chosen_on,
            answers=self.answers,
        )
        return {"data": str(self.data), "origin": origin}


def training_source(
    workspace: Workspace,
    source: str | Path,
    *,
    method: str = "sft",
    pairs: PairRule | None = None,
    progress: Progress = silent,
) -> TrainingSource:
    """Turn a selection's id or name, or a file's path, into a file to train on.

    A selection is written as messages, or for a preference method (``dpo, orpo, simpo``) as pairs
    of the best and a worse answer by the rule ``pairs`` (None: its defaults). Raises NotFoundError
    where ``source`` is neither, InputError where no pair comes out.
    """
    path = Path(source).expanduser()
    if path.is_file():
        return TrainingSource(path.absolute(), None)
    try:
        saved = find_selection(workspace, str(source))
    except NotFoundError as error:
        if path.is_dir():
            return TrainingSource(path.absolute(), None)
        raise NotFoundError(
            f"{source} is neither a file nor a selection in {workspace.root}.", error.remedy
        ) from error
    if method == "sft":
        folder = saved.path / "exports" / "training"  # the user's own exports stay as they are
        written = export(workspace, saved, "messages", folder, progress=progress)
        told = written.manifest["report"].get("answers")
        return TrainingSource(written.data, saved, answers=answer_words(told) if told else "")
    progress(0, None, "making pairs")
    selection = load_selection(workspace, saved.id)
    crowd = open_crowd(workspace, saved.recipe.crowd)
    data, told = _write_pairs(crowd, selection, saved, pairs or PairRule())
    return TrainingSource(data, saved, told)


def finetune(
    workspace: Workspace,
    source: str | Path,
    model: str,
    *,
    start: bool = True,
    pairs: Mapping[str, Any] | None = None,
    progress: Progress = silent,
    **options: Any,
) -> Path:
    """Make (and start) a fine-tune of ``model`` on a selection or a file; return its run directory.

    ``options`` are those of ``FinetuneConfig``; ``pairs`` those of ``PairRule`` (judge, margin,
    worse). Follow the run with ``crowdselect.finetune.read_run``.
    """
    method = method_of(options)
    rule = PairRule.parse(pairs or {}, "pairs")
    found = training_source(workspace, source, method=method, pairs=rule, progress=progress)
    config = FinetuneConfig.parse({"model": model, **found.options, **options}, "fine-tuning")
    path = create(workspace, config)
    if start:
        jobs.start(path)
    return path


def _write_pairs(
    crowd: Crowd,
    selection: Selection,
    saved: SavedSelection,
    rule: PairRule,
) -> tuple[Path, str]:
    pairs, texts = selected_pairs(crowd, selection, rule, saved.name)
    folder = saved.path / "exports" / f"pairs-{content_key([pairs.rule, saved.recipe.seed], 8)}"
    with files.build_folder_aside(folder) as aside:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in texts)
        (aside / "data.jsonl").write_text(lines, encoding="utf-8", newline="\n")
        counts = {"selected": len(selection.ids), "pairs": len(texts), "skipped": pairs.skipped}
        manifest = {"recipe_id": saved.id, "rule": pairs.rule, "counts": counts}
        files.write_json(aside / "manifest.json", manifest)
    told = f"{len(texts):,} of {len(selection.ids):,} instructions ({pairs.rule})"
    return folder / "data.jsonl", told

"""The papers' own tables, as data with their sources, to stand beside ours marked as published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from crowdselect import files

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(__file__).parent


def published_tables() -> dict[str, pd.DataFrame]:
    """Study -> its scores, one row per number.

    Columns: ``study, source, remark, table`` (number in the source), ``model`` (the base that was
    trained), ``tuning, setting`` (what the training data were chosen by), ``benchmark, score,
    train_loss`` (NaN: not reported), ``note`` (where the source contradicts itself) and
    ``published`` (always True). None of it was measured by this project, and protocols differ
    from ours: never a row of a comparison.
    """
    import pandas as pd

    sources: dict[str, dict[str, Any]] = files.read_json(FOLDER / "sources.json")
    found = {}
    for name, facts in sources.items():
        frame = pd.read_csv(
            FOLDER / f"{name}.csv",
            dtype={"table": str, "score": float, "train_loss": float},
            keep_default_na=False,
            na_values={"train_loss": [""]},
        )
        for place, column in enumerate(("study", "source", "remark")):
            frame.insert(place, column, facts[column])
        found[str(facts["study"])] = frame.assign(published=True)
    return found

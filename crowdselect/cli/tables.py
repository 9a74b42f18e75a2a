"""Write columns to the file that a person named: Parquet, CSV or JSONL by its ending."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crowdselect import files
from crowdselect.errors import InputError


def write_table(path: Path, columns: Mapping[str, Any]) -> None:
    """Write ``columns`` (name -> values of one length) to ``path``, whole or not at all."""
    import pandas as pd

    frame = pd.DataFrame(dict(columns))
    with files.write_aside(path) as aside:
        if path.suffix == ".parquet":
            frame.to_parquet(aside, index=False)
        elif path.suffix == ".csv":
            frame.to_csv(aside, index=False, lineterminator="\n")
        elif path.suffix == ".jsonl":
            frame.to_json(aside, orient="records", lines=True, force_ascii=False)
        else:
            raise InputError(
                f"{path} has the ending {path.suffix!r}.", "Choose .parquet, .csv or .jsonl."
            )

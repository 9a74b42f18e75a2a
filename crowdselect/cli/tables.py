"""Write columns to the file that a person named: Parquet, CSV or JSONL by its ending."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from crowdselect import files
from crowdselect.errors import InputError

InertOption = Annotated[
    bool,
    typer.Option(
        "--no-formulas",
        help="Put an apostrophe before texts that a spreadsheet would run as formulas",
    ),
]


def write_table(path: Path, columns: Mapping[str, Any], *, no_formulas: bool = False) -> None:
    """Write ``columns`` (name -> values of one length) to ``path``, whole or not at all.

    ``no_formulas``: texts that a spreadsheet would run get an apostrophe.
    """
    import pandas as pd

    frame = pd.DataFrame(dict(columns))
    if no_formulas:
        frame = frame.rename(columns=files.inert).map(files.inert)
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

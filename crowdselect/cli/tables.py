"""Write columns to the file that a person named: Parquet, CSV or JSONL by its ending."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdselect import files
from crowdselect.cli.terminal import say
from crowdselect.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

InertOption = Annotated[
    bool,
    typer.Option(
        "--no-formulas",
        help="Put an apostrophe before texts that a spreadsheet would run as formulas",
    ),
]


def write_table(path: Path, columns: Mapping[str, Any], *, no_formulas: bool = False) -> None:
    """Write ``columns`` (name -> values of one length) to ``path``, whole or not at all.

    ``no_formulas``: texts that a spreadsheet would run get an apostrophe. Without it a CSV has the
    data's own bytes, so that ids match when it is read back, and such texts are counted and told.
    """
    import pandas as pd

    frame = pd.DataFrame(dict(columns))
    if no_formulas:
        frame = frame.rename(columns=files.inert).map(files.inert)
    elif path.suffix == ".csv" and (runs := _formulas(frame)):
        say(
            f"{runs:,} cells or headings look like formulas to a spreadsheet: --no-formulas makes "
            "them text."
        )
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


def _formulas(frame: pd.DataFrame) -> int:
    """How many cells and headings a spreadsheet would take for formulas."""
    texts = frame.select_dtypes(exclude="number")
    cells = (value for column in texts for value in (column, *texts[column]))
    return sum(files.inert(value) is not value for value in cells)

"""Everything the user decides about an export, but for the format's own options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator

from crowdselect.export.overlap import WORDS
from crowdselect.options import Frozen, Option
from crowdselect.rules import AGAINST, OVERLAP, QUESTIONS


class ExportConfig(Frozen):
    """What is written where, what may not be in it, and what is held back."""

    format: Annotated[str, Option(help="One of", short="-f")] = "messages"
    out: Annotated[
        str | None,
        BeforeValidator(lambda out: None if out is None else str(out)),
        Option(help="Folder to write, also s3:// or gs://; else inside the selection's folder"),
    ] = None
    """For ``llamafactory`` its data folder, whose ``dataset_info.json`` gets an entry."""
    against: Annotated[tuple[Path, ...], AGAINST] = ()
    """Instructions that share ``words`` consecutive words with one cannot be in it."""
    column: Annotated[str | None, QUESTIONS] = None
    words: Annotated[int, OVERLAP] = WORDS
    keep_flagged: Annotated[bool, Option(help="Keep what overlaps; the manifest lists it")] = False
    test: Annotated[
        float | None,
        Option(
            help="Share held back in a file of its own, such as 0.1; questions decide",
            label="Share held back for testing",
        ),
    ] = None
    """By the questions and the recipe's seed: equal questions stay on one side."""
    name: Annotated[str | None, Option(help="Name of the data set")] = None
    licence: Annotated[
        str | None, Option(help="Licence that the card states", flag="--license")
    ] = None

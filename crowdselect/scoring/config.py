"""Everything the user decides about scoring, as one validated, frozen value."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from crowdselect.engines import OnEngine
from crowdselect.options import Option


class ScoreConfig(OnEngine):
    """What a scoring job does."""

    source: Annotated[str, Option(flag=None)]
    """A crowd's name, or a file of conversations."""
    scorer: Annotated[str, Option(help="See `crowdselect plugins`", short="-s")]
    options: Annotated[dict[str, Any], Option(flag=None)]
    """The scorer's options; ``models`` is a list of ``ModelSpec`` or ``ServerConfig`` dicts."""
    answer: Annotated[str, Option(help="Which response of a crowd: best, random or model:NAME")] = (
        "best"
    )
    """An answer policy."""
    judge: Annotated[str | None, Option(help="Whose rewards say which one is best")] = None
    name: Annotated[str | None, Option(help="What to call the score")] = None
    """None: the scorer's own prefix."""
    out: Annotated[str | None, Option(help="Parquet file for the scores of a file")] = None
    """None: beside the run."""
    limit: Annotated[
        int | None, Option(help="Only so many samples, for a quick look"), Field(ge=1)
    ] = None
    seed: Annotated[int, Option(help="Seed of the answer policy random")] = 42

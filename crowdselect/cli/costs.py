"""What a server will be asked for: shown before anything runs, and limited."""

from __future__ import annotations

from typing import Annotated

import typer

from crowdselect.cli.terminal import say
from crowdselect.servers import Cost

RequestsOption = Annotated[
    int | None,
    typer.Option(min=1, help="Start only if a server is asked for no more; the estimate is shown"),
]


def say_cost(cost: Cost | None, most: int | None) -> None:
    """Show what a server will be asked for; raises InputError where that is too much."""
    from crowdselect.pipeline.making import check_cost

    if cost is not None:
        say(cost.sentence("At most"))
    check_cost(cost, most)

"""A group of commands whose first one need not be named."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class RunByDefault(TyperGroup):
    """``crowdselect GROUP TARGET ...`` means ``crowdselect GROUP run TARGET ...``."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Put ``run`` before what names no command of the group."""
        wants_help = args and args[0] in ("-h", "--help")
        if args and not wants_help and args[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)

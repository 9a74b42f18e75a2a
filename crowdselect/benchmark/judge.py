"""Which judge grades, and what it may cost."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Literal

from pydantic import Field

from crowdselect.options import Option
from crowdselect.servers import MAX_TOKENS, ServerConfig


class JudgeConfig(ServerConfig):
    """A judge: a served chat model, a local language model, or a local reward model."""

    model: Annotated[
        str, Option(help="Who grades: a served model's name, a folder or a hub id", flag="--judge")
    ]
    base_url: Annotated[
        str | None,
        Option(help="Base URL of the judge's OpenAI-compatible server", flag="--judge-url"),
    ] = None
    kind: Annotated[
        Literal["server", "local", "reward"],
        Option(help="server, local (language model) or reward (reward model)", flag="--judge-kind"),
    ] = "server"
    """``local`` and ``reward``: ``model`` is a folder or hub id."""
    max_tokens: Annotated[
        int | None, dataclasses.replace(MAX_TOKENS, label="Longest verdict"), Field(ge=1)
    ] = None
    """Longest verdict in tokens; None: the benchmark's own."""
    max_length: int = Field(default=4096, ge=8)
    """Reward model: longest conversation in tokens; longer ones fail and are counted."""

"""Which judge grades, and what it may cost."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from crowdselect.servers import ServerConfig


class JudgeConfig(ServerConfig):
    """A judge: a served chat model, a local language model, or a local reward model."""

    kind: Literal["server", "local", "reward"] = "server"
    """``local`` and ``reward``: ``model`` is a folder or hub id."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Longest verdict in tokens; None: the benchmark's own."""
    max_length: int = Field(default=4096, ge=8)
    """Reward model: longest conversation in tokens; longer ones fail and are counted."""

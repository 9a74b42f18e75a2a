"""Which judge grades, and what it may cost."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from crowdselect.values import Frozen


class JudgeConfig(Frozen):
    """A judge: a served chat model, a local language model, or a local reward model."""

    kind: Literal["server", "local", "reward"] = "server"
    model: str
    """The served model's name; for ``local`` and ``reward`` a folder or hub id."""
    base_url: str | None = None
    """OpenAI-compatible server (vLLM, Ollama, llama.cpp, a vendor), such as
    ``http://127.0.0.1:8000/v1``; None: the ``openai`` package's default."""
    api_key_variable: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; the key itself is never written down."""
    concurrency: int = Field(default=8, ge=1, le=512)
    """Requests in flight at once."""
    retries: int = Field(default=6, ge=0)
    """Further attempts after a refusal, an error or a broken connection, with growing pauses."""
    timeout_s: float = Field(default=180.0, gt=0)
    max_tokens: int | None = Field(default=None, ge=1)
    """Longest verdict in tokens; None: the benchmark's own."""
    price_in: float | None = Field(default=None, ge=0)
    """Price of a million prompt tokens, in any currency."""
    price_out: float | None = Field(default=None, ge=0)
    """Price of a million completion tokens, in the same currency."""
    budget: float | None = Field(default=None, ge=0)
    """Stop before a further request could cost more than this in total; needs both prices."""

"""Which server answers, how hard it is asked, and what it may cost."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from crowdselect.errors import InputError
from crowdselect.keys import scrub
from crowdselect.options import Frozen, Option

ADDRESS = Option(
    help="OpenAI-compatible server of the model, such as http://127.0.0.1:8000/v1", flag="--server"
)
KEY_VARIABLE = Option(help="Environment variable that holds the server's key")
CONCURRENCY = Option(help="Requests at once to a server")
MAX_TOKENS = Option(
    help="Longest reply of a served judge in tokens; one that reasons needs thousands",
    label="Longest reply in tokens (--max-tokens)",
    low=8,
    high=1_000_000,
)


class ServerConfig(Frozen):
    """A chat model at an OpenAI-compatible server (vLLM, Ollama, llama.cpp, a vendor)."""

    model: str
    """The served model's name."""
    base_url: Annotated[str | None, ADDRESS] = None
    """Such as ``http://127.0.0.1:8000/v1``; None: the ``openai`` package's default."""
    api_key_variable: Annotated[str, KEY_VARIABLE] = "OPENAI_API_KEY"
    """Environment variable that holds the key; the key itself is never written down."""
    concurrency: Annotated[int, CONCURRENCY, Field(ge=1, le=512)] = 8
    retries: int = Field(default=6, ge=0)
    """Further attempts after a refusal, an error or a broken connection, with growing pauses."""
    timeout_s: float = Field(default=180.0, gt=0)
    price_in: float | None = Field(default=None, ge=0)
    """Price of a million prompt tokens, in any currency."""
    price_out: float | None = Field(default=None, ge=0)
    """Price of a million completion tokens, in the same currency."""
    batch: bool = False
    """Ask by the server's Batch API, which answers within a day, at a lower price."""
    budget: float | None = Field(default=None, ge=0)
    """Stop before a further request could cost more than this in total; needs both prices."""

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, base_url: str | None) -> str | None:
        return check_address(base_url)

    @field_validator("api_key_variable")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            # It may be the key itself, so it is not repeated.
            raise InputError(
                "What was given as the key's environment variable is no name of a variable.",
                "Put the key into a variable such as OPENAI_API_KEY, and give the variable's name.",
            )
        return name


def check_address(base_url: str | None) -> str | None:
    """``base_url`` itself; raises InputError for what is no address, or holds a password or key."""
    if base_url is not None and not base_url.startswith(("http://", "https://")):
        raise InputError(
            f"{base_url!r} is no server's address.",
            "Give one such as http://127.0.0.1:8000/v1.",
        )
    if base_url is not None and ("@" in urlsplit(base_url).netloc or scrub(base_url) != base_url):
        raise InputError(
            "The server's address holds a password or a key, which would be written down.",
            "Put it into an environment variable, and name that with --api-key-variable.",
        )
    return base_url

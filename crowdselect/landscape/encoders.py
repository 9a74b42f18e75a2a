"""The shelf of encoders, and how a name on a command line or in a recipe becomes one."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qsl

from crowdselect.errors import InputError
from crowdselect.landscape.encoder import Encoder
from crowdselect.landscape.hidden_states import HiddenStates
from crowdselect.landscape.lsa import Lsa
from crowdselect.landscape.quantised import MiniLMInt8
from crowdselect.landscape.sentence_model import BUNDLED, MiniLM, SentenceModel
from crowdselect.landscape.static import Static
from crowdselect.options import options_of, read_option
from crowdselect.registry import Registry, build

ENCODERS: Registry[type[Encoder]] = Registry(
    "encoder", [MiniLM, MiniLMInt8, SentenceModel, Static, Lsa, HiddenStates]
)


def encoder_named(name: str, *, trust_remote_code: bool = False) -> Encoder:
    """Build the encoder ``name``: one of ENCODERS, else a hub id or folder of a model.

    Options follow a question mark, as in ``lsa?dimensions=64`` or
    ``jinaai/jina-embeddings-v3?task=text-matching``, so that a recipe's one word says it all.
    Permission to run a model's own code is never part of the name: a recipe may come from
    somebody else.

    Raises InputError for unknown options or values.
    """
    base, _, query = name.partition("?")
    known_here = base in ENCODERS
    plugin = ENCODERS[base] if known_here else SentenceModel
    options: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True))
    if "trust_remote_code" in options:
        raise InputError(
            f"The encoder's name {name!r} asks to run a model's own code.",
            "Leave trust_remote_code out of the name, and allow it where you call, if you trust "
            "the model's authors.",
        )
    for known in options_of(plugin):
        if known.name in options:
            options[known.name] = read_option(known, options[known.name])
    if not known_here:
        options = {"model": base, "trust_remote_code": trust_remote_code, **options}
    return build(plugin, options)


def default_encoder() -> str:
    """``minilm`` where the extra ``embed`` is installed, else ``static``."""
    installed = find_spec(BUNDLED) and find_spec("sentence_transformers")
    return MiniLM.name if installed else Static.name


def default_words(name: str) -> str:
    """What to say where ``name`` was taken because nothing was asked for; empty: nothing.

    The same command gives other clusters, and so other rows, where the first choice is installed.
    """
    if name == MiniLM.name:
        return ""
    return (
        f"{name} was taken because minilm is not installed here: where it is, the same command "
        "takes other rows. Say --encoder to get the same everywhere; minilm needs "
        "pip install 'crowdselect[embed]'."
    )

"""A source -> a crowd folder: one file per shape of data."""

from crowdselect.ingest.alpaca_eval import AlpacaEval
from crowdselect.ingest.demo import Demo
from crowdselect.ingest.lima import Lima
from crowdselect.ingest.magpie import Magpie
from crowdselect.ingest.models import describe_models, guess_model, known_models
from crowdselect.ingest.sft import Sft
from crowdselect.ingest.source import Source, safe_name
from crowdselect.ingest.table import TableSource
from crowdselect.registry import Registry

SOURCES: Registry[type[Source]] = Registry(
    "source", [Magpie, AlpacaEval, TableSource, Sft, Lima, Demo]
)
"""Where crowds come from; a new source is one file and one entry here."""

__all__ = [
    "SOURCES",
    "AlpacaEval",
    "Demo",
    "Lima",
    "Magpie",
    "Sft",
    "Source",
    "TableSource",
    "describe_models",
    "guess_model",
    "known_models",
    "safe_name",
]

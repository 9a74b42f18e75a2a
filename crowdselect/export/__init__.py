"""A subset -> training files, dataset card and manifest; overlap with benchmarks.

``FORMATS`` lists the file formats; a new one is one file here and one line below.
"""

from crowdselect.export.alpaca import Alpaca
from crowdselect.export.axolotl import Axolotl
from crowdselect.export.base import Example, Format, Turn
from crowdselect.export.card import dataset_card
from crowdselect.export.config import ExportConfig
from crowdselect.export.llamafactory import LlamaFactory
from crowdselect.export.messages import Messages, OpenAI
from crowdselect.export.overlap import WORDS, Overlap, find_overlaps
from crowdselect.export.parquet import Parquet
from crowdselect.export.preference import Preference
from crowdselect.export.prompt_completion import PromptCompletion
from crowdselect.export.prompts import Prompts
from crowdselect.export.references import Reference, References, read_references
from crowdselect.export.sharegpt import ShareGPT
from crowdselect.export.split import held_back
from crowdselect.export.write import Export, write_export
from crowdselect.registry import Registry

FORMATS: Registry[type[Format]] = Registry(
    "format",
    [
        Messages,
        Alpaca,
        ShareGPT,
        PromptCompletion,
        Preference,
        OpenAI,
        Parquet,
        LlamaFactory,
        Axolotl,
        Prompts,
    ],
)

__all__ = [
    "FORMATS",
    "WORDS",
    "Example",
    "Export",
    "ExportConfig",
    "Format",
    "Overlap",
    "Preference",
    "Prompts",
    "Reference",
    "References",
    "Turn",
    "dataset_card",
    "find_overlaps",
    "held_back",
    "read_references",
    "write_export",
]

"""Choose the instructions worth fine-tuning on, by a crowd of language models.

``import crowdselect`` loads neither torch nor streamlit; the public names load on first use.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "Crowd": "crowdselect.pipeline",
    "Recipe": "crowdselect.values",
    "Filters": "crowdselect.values",
    "Selection": "crowdselect.chosen",
    "CrowdSelectError": "crowdselect.errors",
    "open_workspace": "crowdselect.settings",
    "ingest": "crowdselect.pipeline",
    "open_crowd": "crowdselect.pipeline",
    "metrics": "crowdselect.pipeline",
    "landscape": "crowdselect.pipeline",
    "select": "crowdselect.pipeline",
    "compare": "crowdselect.pipeline",
    "export": "crowdselect.pipeline",
    "save_selection": "crowdselect.pipeline",
    "load_selection": "crowdselect.pipeline",
}
__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604 - the names are strings

if TYPE_CHECKING:
    from crowdselect.chosen import Selection as Selection
    from crowdselect.errors import CrowdSelectError as CrowdSelectError
    from crowdselect.pipeline import Crowd as Crowd
    from crowdselect.pipeline import compare as compare
    from crowdselect.pipeline import load_selection as load_selection
    from crowdselect.pipeline import open_crowd as open_crowd
    from crowdselect.pipeline import save_selection as save_selection
    from crowdselect.pipeline import select as select
    from crowdselect.pipeline.export import export as export
    from crowdselect.pipeline.ingest import ingest as ingest
    from crowdselect.pipeline.landscape import landscape as landscape
    from crowdselect.pipeline.metrics import metrics as metrics
    from crowdselect.settings import open_workspace as open_workspace
    from crowdselect.values import Filters as Filters
    from crowdselect.values import Recipe as Recipe


class _Package(ModuleType):
    """The public names win over the sub-packages of the same name.

    Importing ``crowdselect.metrics`` makes Python set the package's attribute ``metrics`` to that
    module, which would hide the function. ``from crowdselect.metrics import METRICS`` still works.
    """


def _public(name: str, module: str) -> property:
    def get(_: ModuleType) -> Any:
        return getattr(importlib.import_module(module), name)

    def keep(_: ModuleType, value: Any) -> None:
        """Python's import system sets sub-packages here; the function stays."""

    return property(get, keep)


for _name, _module in _PUBLIC.items():
    setattr(_Package, _name, _public(_name, _module))
sys.modules[__name__].__class__ = _Package

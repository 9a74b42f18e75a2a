"""Choose the instructions worth fine-tuning on, by a crowd of language models.

``import crowdselect`` loads neither torch nor streamlit; the public names load on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "Recipe": "crowdselect.values",
    "Filters": "crowdselect.values",
    "Selection": "crowdselect.values",
    "CrowdSelectError": "crowdselect.errors",
    "open_workspace": "crowdselect.settings",
    "ingest": "crowdselect.pipeline",
    "open_crowd": "crowdselect.pipeline",
    "metrics": "crowdselect.pipeline",
    "landscape": "crowdselect.pipeline",
    "select": "crowdselect.pipeline",
    "compare": "crowdselect.pipeline",
    "export": "crowdselect.pipeline",
}
__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604 - the names are strings

if TYPE_CHECKING:
    from crowdselect.errors import CrowdSelectError as CrowdSelectError
    from crowdselect.pipeline import compare as compare
    from crowdselect.pipeline import export as export
    from crowdselect.pipeline import ingest as ingest
    from crowdselect.pipeline import landscape as landscape
    from crowdselect.pipeline import metrics as metrics
    from crowdselect.pipeline import open_crowd as open_crowd
    from crowdselect.pipeline import select as select
    from crowdselect.settings import open_workspace as open_workspace
    from crowdselect.values import Filters as Filters
    from crowdselect.values import Recipe as Recipe
    from crowdselect.values import Selection as Selection


def __getattr__(name: str) -> Any:
    try:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    except KeyError:
        raise AttributeError(f"module 'crowdselect' has no attribute {name!r}") from None

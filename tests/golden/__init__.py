"""Figures worked out by hand or with scipy and scikit-learn, and the loader for them."""

import json
from pathlib import Path
from typing import Any


def golden(name: str) -> dict[str, Any]:
    """Return the golden figures of ``<name>.json`` in this folder."""
    return json.loads((Path(__file__).parent / f"{name}.json").read_text())

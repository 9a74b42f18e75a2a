"""Weights by name: those that the paper tried, for command line and dashboard alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from crowdselect.errors import NotFoundError
from crowdselect.registry import did_you_mean


@dataclass(frozen=True)
class Preset:
    """Named weights of difficulty, separability and stability."""

    name: str
    title: str
    weights: Mapping[str, float]
    source: str


def _preset(name: str, title: str, weights: tuple[float, float, float], source: str) -> Preset:
    named = zip(("difficulty", "separability", "stability"), weights, strict=True)
    return Preset(name, title, MappingProxyType({k: v for k, v in named if v}), source)


_TABLE = "CrowdSelect (arXiv 2503.01836) table 3"
_SINGLE = "CrowdSelect (arXiv 2503.01836) table 13"
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            _preset("paper", "Hard, dividing, very stable: the default", (1, 1, 2), _TABLE),
            _preset("equal", "Hard, dividing, stable in equal parts", (1, 1, 1), _TABLE),
            _preset("code", "As committed in the published code", (1, 1, 1.5), _TABLE),
            _preset("agreed", "Hard, and the crowd agrees on it", (1, -1, 1), _TABLE),
            _preset("agreed-stable", "Hard, agreed, more stable", (1, -1, 1.5), _TABLE),
            _preset("unstable", "Hard, dividing, size does not help", (1, 1, -1), _TABLE),
            _preset("easy", "Easy, agreed, stable", (-1, -1, 1), _TABLE),
            _preset("easy-stable", "Easy, agreed, more stable", (-1, -1, 1.5), _TABLE),
            _preset("easy-most-stable", "Easy, agreed, very stable", (-1, -1, 2), _TABLE),
            _preset("difficulty", "The hardest", (1, 0, 0), _SINGLE),
            _preset("separability", "What divides the crowd", (0, 1, 0), _SINGLE),
            _preset("stability", "Where size helps most", (0, 0, 1), _SINGLE),
        )
    }
)
"""Name -> preset, the paper's default first."""


def preset_weights(name: str) -> dict[str, float]:
    """The weights of the preset ``name``; raises NotFoundError with the known names."""
    if name not in PRESETS:
        raise NotFoundError(f"There is no preset {name!r}.", did_you_mean(name, PRESETS))
    return dict(PRESETS[name].weights)

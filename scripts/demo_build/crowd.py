"""Who is in the demo crowd: nineteen small models in six families.

Families differ in architecture and in what they were taught; inside a family the larger model
was usually, not always, taught more.
"""

from __future__ import annotations

from dataclasses import dataclass

from scripts.demo_build.curriculum import Mixture, Texts, lessons
from scripts.demo_build.networks import Shape
from scripts.demo_build.training import Schedule, schedules


@dataclass(frozen=True)
class Member:
    """One model of the crowd: how it is built and how it is taught."""

    name: str
    family: str
    architecture: str
    shape: Shape
    mixture: Mixture
    schedule: Schedule
    """Schooling: drills, easier tasks, all tasks."""
    practice: Schedule
    """Practice afterwards: fresh tasks of the same mixture."""

    def texts(self, seed: int, drills: int) -> Texts:
        """Drills and tasks of the mixture."""
        return lessons(self.mixture, seed, drills)


@dataclass(frozen=True)
class _Family:
    architecture: str
    emphasis: dict[str, float]
    levels: tuple[int, ...]
    sizes: tuple[tuple[Shape, int, int, int], ...]
    """Shape, number of training tasks in thousands, steps of schooling and of practice."""


_FAMILIES = {
    "alder": _Family(
        "llama",
        {},
        (1, 2, 3, 4),
        (
            (Shape(32, 2, 2), 30, 1000, 500),
            (Shape(64, 2, 4), 30, 1000, 500),
            (Shape(96, 3, 4), 16, 800, 700),
            (Shape(160, 3, 5), 20, 600, 1100),
            (Shape(256, 5, 8), 20, 350, 850),
        ),
    ),
    "birch": _Family(
        "qwen3",
        {"arithmetic": 3.0, "code": 3.0, "measures": 3.0, "extraction": 0.5, "logic": 0.5},
        (1, 2, 3, 4),
        (
            (Shape(48, 2, 2), 12, 900, 500),
            (Shape(96, 3, 4), 16, 800, 350),
            (Shape(160, 4, 4), 20, 550, 450),
        ),
    ),
    "cedar": _Family(
        "gpt_neox",
        {"strings": 3.0, "ordering": 2.0, "patterns": 2.0, "arithmetic": 0.5, "lookup": 0.5},
        (1, 2, 3, 4),
        (
            (Shape(64, 2, 4), 10, 800, 500),
            (Shape(128, 3, 4), 20, 800, 600),
            (Shape(192, 3, 6), 8, 450, 850),
        ),
    ),
    "elm": _Family(
        "gpt2",
        {"lookup": 3.0, "extraction": 3.0, "logic": 2.0, "arithmetic": 0.3, "code": 0.5},
        (1, 2, 3),
        (
            (Shape(48, 2, 4), 10, 800, 400),
            (Shape(96, 3, 4), 16, 800, 600),
            (Shape(160, 3, 5), 20, 550, 950),
        ),
    ),
    "fir": _Family(
        "gemma",
        {"counting": 2.0, "patterns": 2.0, "measures": 2.0},
        (1, 2),
        (
            (Shape(64, 2, 4), 4, 900, 300),
            (Shape(112, 3, 4), 6, 650, 300),
            (Shape(192, 3, 6), 12, 450, 750),
        ),
    ),
    "maple": _Family(
        "olmo2",
        {"arithmetic": 2.0, "counting": 3.0, "logic": 3.0, "strings": 0.3},
        (1, 2, 3, 4),
        (
            (Shape(64, 3, 4), 10, 700, 400),
            (Shape(128, 4, 4), 20, 650, 700),
        ),
    ),
}


def members(scale: float = 1.0) -> tuple[Member, ...]:
    """Return the crowd's models; ``scale`` shrinks steps and data alike, for a miniature."""
    crowd = []
    for name, family in _FAMILIES.items():
        for shape, thousands, steps, more in family.sizes:
            mixture = Mixture(
                max(64, round(1000 * thousands * scale)), family.emphasis, family.levels
            )
            schooling, practice = schedules(steps, more, scale)
            label = f"{name}-{shape.hidden}x{shape.layers}"
            crowd.append(
                Member(label, name, family.architecture, shape, mixture, schooling, practice)
            )
    return tuple(crowd)

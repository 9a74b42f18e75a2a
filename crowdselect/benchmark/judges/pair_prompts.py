"""Arena-Hard's judge prompts: a template, and the system prompt of each category of questions."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from crowdselect.benchmark.judges.prompts import OWN_PAIR, Prompt, read_single
from crowdselect.benchmark.sources import local_file
from crowdselect.errors import InputError
from crowdselect.reading import read_text

BESIDE = Path("utils") / "judge_utils.py"
"""Where arena-hard-auto keeps the system prompts since v2, seen from its own folder."""
SETTINGS = "JUDGE_SETTINGS"
VERDICT = "[["
"""How every official prompt shows the form of a verdict."""


@dataclass(frozen=True)
class PairPrompts:
    """The prompt of each category."""

    template: Prompt
    systems: Mapping[str, str]
    """By category; empty: the template's own system prompt for all."""
    source: str = ""
    """File of the system prompts."""

    def of(self, category: str) -> Prompt:
        """The prompt of a category; raises InputError where it has none."""
        if not self.systems:
            return self.template
        if category not in self.systems:
            raise InputError(
                f"{self.source} has no system prompt for the category {category!r}.",
                f"It has: {', '.join(self.systems)}. Give questions of these categories, or "
                "another file by system=FILE.",
            )
        return replace(self.template, system=self.systems[category])

    def check(self, categories: Iterable[str]) -> None:
        """Raise before anything is asked, as :meth:`of` does."""
        for category in sorted(set(categories)):
            self.of(category)


def system_file(prompt: str, system: str) -> Path | None:
    """The file of system prompts: the one given, else arena-hard-auto's own beside the template."""
    if system:
        return local_file(system)
    beside = local_file(prompt).resolve().parent.parent / BESIDE if prompt else None
    return beside if beside is not None and beside.is_file() else None


def read_pair_prompts(prompt: str, system: str = "") -> PairPrompts:
    """The prompts of Arena-Hard: ours, or a template (YAML or JSON) with its system prompt.

    The system prompt stands in the template's file (until 2024), in ``system``, or in
    ``utils/judge_utils.py`` beside ``config/`` as in arena-hard-auto's repository. That file is
    read, not run.

    Raises
    ------
    InputError
        Where neither the template nor a system prompt says how a verdict is written.
    """
    template = read_single(prompt) if prompt else OWN_PAIR
    if not system and (not prompt or template.system):
        return PairPrompts(template, {})
    file = system_file(prompt, system)
    if file is not None and file.suffix == ".py":
        return PairPrompts(template, _systems(file), str(file))
    if file is not None:
        return PairPrompts(replace(template, system=_system(file)), {})
    if VERDICT not in template.user:
        raise InputError(
            f"{prompt} holds no system prompt, and nothing tells the judge how to write a verdict.",
            f"arena-hard-auto keeps it in {BESIDE}: give that file by system=FILE.",
        )
    return PairPrompts(template, {})


def _system(file: Path) -> str:
    """The one system prompt of a judge configuration or of a plain text file."""
    named = file.suffix in (".yaml", ".yml", ".json")
    text = read_single(str(file)).system if named else read_text(file).text.strip()
    if not text:
        raise InputError(f"{file} holds no system prompt.", "Give a file that does.")
    return text


def _systems(file: Path) -> dict[str, str]:
    """System prompts by category, of a Python file that assigns JUDGE_SETTINGS."""
    try:
        found = _literals(ast.parse(read_text(file).text)).get(SETTINGS)
    except (SyntaxError, ValueError) as error:
        raise InputError(f"{file} is no Python file: {error}.", f"Give {BESIDE}.") from error
    systems = {
        str(category): str(settings["system_prompt"])
        for category, settings in (found.items() if isinstance(found, dict) else ())
        if isinstance(settings, dict) and settings.get("system_prompt")
    }
    if not systems:
        raise InputError(
            f"{file} has no {SETTINGS} with a system_prompt for each category.",
            f"Give arena-hard-auto's {BESIDE}, or a text file with the system prompt.",
        )
    return systems


def _literals(tree: ast.Module) -> dict[str, object]:
    """The constants that a module assigns, where they are texts, dictionaries, or their sums."""
    known: dict[str, object] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            known[node.targets[0].id] = _value(node.value, known)
    return known


def _value(node: ast.expr, known: Mapping[str, object]) -> object:
    """A text, a dictionary of such, or None for whatever would have to be run."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {_value(k, known): _value(v, known) for k, v in pairs if k is not None}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = (_value(node.left, known), _value(node.right, known))
        if all(isinstance(side, str) for side in sides):
            return "".join(map(str, sides))
    return None

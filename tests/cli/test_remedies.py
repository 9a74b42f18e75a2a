"""What a message tells people to type exists: options and commands in the product's own texts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from crowdselect.benchmark import BENCHMARKS
from crowdselect.cli import STAGES, app_of
from crowdselect.export import FORMATS
from crowdselect.finetune import FinetuneConfig
from crowdselect.options import options_of
from crowdselect.scoring import SCORERS
from crowdselect.selection import STRATEGIES

PACKAGE = Path(__file__).parents[2] / "crowdselect"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*(?![\w.-])")
COMMAND = re.compile(r"\bcrowdselect ([a-z][a-z-]+)(?: ([a-z][a-z-]+))?")
WITH_NAME = re.compile(r"(?<![\w-])-o ([a-z][a-z_]*)=")
FOREIGN = {
    "--nnodes", "--standalone",  # torchrun's own
    "--no-deps", "--force-reinstall",  # pip's own
    "--enable-lora", "--max-lora-rank", "--lora-modules", "--served-model-name",  # vLLM's
    "--base",  # llama.cpp's
}  # fmt: skip
NO_COMMAND = {
    "is",
    "was",
    "has",
    "and",
    "needs",
    "knows",
    "cannot",
    "package",
    "does",
    "of",
    "made",
    "from",
    "scatter",
}
"""What may follow the product's name in a sentence."""


def texts() -> Iterator[tuple[str, str]]:
    """(place, text) of every string in the package but docstrings; what is filled in is ``{}``."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        skip = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                skip |= {id(part) for part in node.values}
                parts = (str(p.value) if isinstance(p, ast.Constant) else "{}" for p in node.values)
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", "".join(parts)
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in skip
            ):
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node.value


def commands() -> dict[tuple[str, ...], set[str]]:
    """Command as words -> the options that it takes."""
    found: dict[tuple[str, ...], set[str]] = {}

    def walk(command: object, words: tuple[str, ...]) -> None:
        options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        found[words] = options | {"--help"}
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, (*words, name))

    walk(get_command(app_of(STAGES)), ())
    return found


COMMANDS = commands()
TEXTS = list(texts())


def test_there_is_something_to_check() -> None:
    assert len(COMMANDS) > 30
    assert sum(bool(OPTION.search(text)) for _, text in TEXTS) > 60
    assert sum(bool(COMMAND.search(text)) for _, text in TEXTS) > 60


def test_every_option_that_a_message_names_exists() -> None:
    known = set().union(*COMMANDS.values()) | FOREIGN
    wrong = [
        f"{place}: {option}"
        for place, text in TEXTS
        for option in OPTION.findall(text)
        if option not in known
    ]
    assert wrong == []


def test_every_command_that_a_message_names_exists() -> None:
    wrong = []
    for place, text in TEXTS:
        for first, second in COMMAND.findall(text):
            if first in NO_COMMAND:
                continue
            inner = {words[1] for words in COMMANDS if len(words) == 2 and words[0] == first}
            if (first,) not in COMMANDS or (inner and second and second not in inner):
                wrong.append(f"{place}: crowdselect {first} {second}")
    assert wrong == []


def test_every_option_of_a_command_line_in_a_message_is_that_commands() -> None:
    """``crowdselect select NAME --budget 5`` in a text: select takes --budget."""
    wrong = []
    for place, text in TEXTS:
        for match in COMMAND.finditer(text):
            words = tuple(word for word in match.groups() if word)
            words = words if words in COMMANDS else words[:1]
            rest = re.split(r"crowdselect |[.;\n`]", text[match.end() :])[0]
            if words not in COMMANDS:
                continue
            known = set(COMMANDS[words])
            if rest.startswith(" {}"):  # whichever command of the group
                known |= set().union(*(o for w, o in COMMANDS.items() if w[:1] == words[:1]))
            wrong += [
                f"{place}: {' '.join(words)} {option}"
                for option in OPTION.findall(rest)
                if option not in known and "," not in rest[: rest.find(option)]
            ]
    assert wrong == []


def test_every_option_given_by_its_name_exists() -> None:
    plugins = [*SCORERS, *BENCHMARKS, *STRATEGIES, *FORMATS, FinetuneConfig]
    known = {option.name for plugin in plugins for option in options_of(plugin)}
    wrong = [f"{p}: {name}" for p, text in TEXTS for name in WITH_NAME.findall(text)
             if name not in known]  # fmt: skip
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Use --chat-template plain.", ["--chat-template"]),
        ("a -- b --- c", []),
        ("--server.address={}", []),
        ("Give --max-tokens, or more.", ["--max-tokens"]),
    ],
)
def test_what_counts_as_an_option(text: str, found: list[str]) -> None:
    assert OPTION.findall(text) == found

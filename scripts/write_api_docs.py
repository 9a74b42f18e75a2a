"""Write the reference part of docs/api.md from signatures and docstrings.

    python scripts/write_api_docs.py

What stands above the marker is written by hand and kept. The examples are those of the docstrings,
in an order in which they can be run one after the other; a test does.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs" / "api.md"
MARKER = "<!-- Below: written by scripts/write_api_docs.py -->\n"
NAMES = (
    "settings.open_workspace",
    "pipeline.ingest.Crowd",
    "pipeline.ingest.ingest",
    "pipeline.ingest.open_crowd",
    "pipeline.metrics.metrics",
    "pipeline.landscape.landscape",
    "values.Recipe",
    "pipeline.selection.select.select",
    "chosen.Selection",
    "pipeline.selection.saving.save_selection",
    "pipeline.selection.saving.load_selection",
    "pipeline.selection.comparison.compare",
    "pipeline.export.export",
    "filters.Filters",
    "errors.CrowdSelectError",
)
"""Where each public name is written, in the order of the work."""
INHERITED = {"Crowd": "store.crowd.Crowd"}
"""What a class has from elsewhere in the package; a line each."""


def reference() -> str:
    """The generated part: a section per public name."""
    package = griffe.load("crowdselect", search_paths=[str(ROOT)])
    lines: list[str] = []
    for name in NAMES:
        found = package[name]
        lines += section(found)
        if found.name in INHERITED:
            lines += inherited(package[INHERITED[found.name]])
    return "\n".join(lines)


def section(found: griffe.Object) -> Iterator[str]:
    """One function or class: its signature, what it says, its fields and methods."""
    yield f"### `{found.name}`\n"
    if isinstance(found, griffe.Function):
        yield signature(found, f"cs.{found.name}")
        yield prose(found)
        return
    yield prose(found)
    fields = [m for m in visible(found) if isinstance(m, griffe.Attribute)]
    if fields:
        yield "| field | type | what it is |\n|---|---|---|"
        yield from (
            f"| `{m.name}` | {cell(kind(m))} | {cell(told(m), code=False)} |" for m in fields
        )
        yield ""
    for method in (m for m in visible(found) if isinstance(m, griffe.Function)):
        yield f"#### `{found.name}.{method.name}`\n"
        yield signature(method, f"{found.name}.{method.name}")
        yield prose(method)


def inherited(found: griffe.Object) -> Iterator[str]:
    """What an opened one can be asked: a row each."""
    yield "| member | what it gives |\n|---|---|"
    for member in visible(found):
        if member.docstring:
            call = f"{member.name}()" if isinstance(member, griffe.Function) else member.name
            yield f"| `{call}` | {cell(prose(member).split(chr(10) * 2)[0], code=False)} |"
    yield ""


def visible(found: griffe.Object) -> Iterator[griffe.Object]:
    """Public members that say what they are, its own first; those of its parents as one line."""
    for member in found.members.values():
        public = not member.name.startswith("_") and not member.is_alias
        if public and (member.docstring or "dataclass" not in str(found.labels)):
            yield member


def signature(function: griffe.Function, name: str) -> str:
    """As it is called; ``self`` and ``cls`` are not written."""
    given = [p for p in function.parameters if p.name not in ("self", "cls")]
    parts, starred = [], False
    for parameter in given:
        keyword = parameter.kind is griffe.ParameterKind.keyword_only
        if keyword and not starred:
            parts.append("*")
            starred = True
        star = {"variadic positional": "*", "variadic keyword": "**"}.get(parameter.kind.value, "")
        typed = f"{star}{parameter.name}: {parameter.annotation}"
        default = parameter.default if not star else None
        parts.append(typed if default is None else f"{typed} = {default}")
    call = f"{name}({', '.join(parts)}) -> {function.returns}"
    if len(call) > 96:
        inside = "".join(f"    {part},\n" for part in parts)
        call = f"{name}(\n{inside}) -> {function.returns}"
    return f"```text\n{call}\n```\n"


def prose(found: griffe.Object) -> str:
    """A docstring as Markdown: roles and double backticks become code, examples blocks."""
    text = found.docstring.value if found.docstring else ""
    text = re.sub(r":\w+:`~?\.?([\w.]+)`", r"`\1`", text).replace("``", "`")
    text = re.sub(r"^(Raises|Parameters)\n-+$", r"**\1**", text, flags=re.MULTILINE)
    blocks = re.sub(
        r"(?:^>>> .*(?:\n(?!\n).+)*\n?)+", lambda m: f"```pycon\n{m[0].rstrip()}\n```\n", text,
        flags=re.MULTILINE,
    )  # fmt: skip
    return f"{blocks.rstrip()}\n"


def kind(field: griffe.Attribute) -> str:
    """The type of a field without what forms and command line are told of it."""
    written = str(field.annotation or "")
    inside = re.match(r"Annotated\[(.+?), (?:\w+\(|[A-Z_]{3,})", written, re.DOTALL)
    return inside[1] if inside else written


def told(field: griffe.Attribute) -> str:
    """What a field says: its docstring, else the help that its option has everywhere."""
    if field.docstring:
        return field.docstring.value
    from crowdselect.options import options_of
    from crowdselect.values import Filters, Recipe

    owners = {"Recipe": Recipe, "Filters": Filters}
    owner = owners.get(field.parent.name if field.parent else "")
    declared = options_of(owner) if owner else ()
    return next((o.help for o in declared if o.name == field.name), "")


def cell(text: str, *, code: bool = True) -> str:
    """One cell of a table."""
    line = " ".join(text.split()).replace("``", "`").replace("|", "\\|")
    return f"`{line}`" if code and line else line


def main() -> None:
    """Replace what stands below the marker."""
    above = DOCS.read_text("utf-8").split(MARKER)[0]
    DOCS.write_text(f"{above}{MARKER}\n{reference()}", "utf-8", newline="\n")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()

"""The dataset card: README.md with a YAML header that a hub reads."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from crowdselect.export.base import Format

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))

_ORIGIN = (
    "{exported:,} of {n:,} instructions of the crowd `{crowd}`, chosen with CrowdSelect. "
    "Every response was written by a language model; who wrote how many is listed below."
)
_AGAIN = (
    "`manifest.json` holds the recipe, the versions and the sha256 of every file. With the "
    "same crowd, `crowdselect select` and `crowdselect export` give the same bytes."
)


def dataset_card(manifest: Mapping[str, Any], form: Format, licence: str | None) -> str:
    """Return the card's text; it says only what the manifest holds, so it has no time stamp."""
    recipe, crowd, counts = manifest["recipe"], manifest["crowd"], manifest["counts"]
    weights = ", ".join(f"{name} {value:+g}" for name, value in recipe["weights"].items())
    flagged = manifest["decontamination"]["flagged"]
    checked = ", ".join(f"`{_code(a['file'])}`" for a in manifest["decontamination"]["against"])
    lines = [
        _header(manifest, form, licence),
        f"# {_plain(manifest['name'])}",
        "",
        _ORIGIN.format(exported=counts["exported"], n=crowd["n"], crowd=crowd["name"]),
        "",
        "| | |",
        "|---|---|",
        f"| recipe | `{manifest['recipe_id']}` |",
        f"| strategy | {_plain(recipe['strategy'])} |",
        f"| weights | {_plain(weights or 'none')} |",
        f"| clusters | {recipe['clusters']} |",
        f"| reward model | {_plain(recipe['judge'] or next(iter(crowd['judges']), 'none'))} |",
        f"| response | {_plain(recipe['answer'])} |",
        *_answers(manifest.get("report", {})),
        f"| seed | {recipe['seed']} |",
        f"| crowd fingerprint | `{crowd['fingerprint']}` |",
        "",
        "## Fields",
        *(f"- `{name}`: {meaning}" for name, meaning in form.columns),
        "",
        "## Who wrote the responses",
        *(f"- {_plain(name)}: {n:,}" for name, n in manifest["responders"].items()),
        "",
        "## Overlap with benchmarks",
        _contamination(checked, len(flagged), manifest["decontamination"]),
        "",
        "## Make it again",
        _AGAIN,
        "",
        "The method is described in CrowdSelect (arXiv 2503.01836).",
        "",
    ]
    return "\n".join(lines)


def _answers(report: Mapping[str, Any]) -> list[str]:
    """Rows of the table about the answers and the gate, where the selection told them."""
    told, gate = report.get("answers"), report.get("gate")
    lines = []
    if told:
        lines.append(f"| responses as good as another | {told['tied']:,} of {told['n']:,} |")
        if told["below_full_reward"] is not None:
            below = f"{told['below_full_reward']:,} of {told['rewarded']:,}"
            lines.append(f"| responses below full reward | {below} |")
        if told.get("by_hand"):
            lines.append(f"| responses written by hand, not graded | {told['by_hand']:,} |")
    if gate:
        lines.append(f"| gate | {_plain(gate['words'])} ({gate['removed']:,} out) |")
    return lines


def _plain(text: Any) -> str:
    """A text from the data as text: a page that shows the card must not run or follow it."""
    escaped = html.escape(" ".join(str(text).split()), quote=False)
    return re.sub(r"([|`\[\]])", r"\\\1", escaped)


def _code(text: Any) -> str:
    """A text from the data inside a span of code, which no sign can leave."""
    return " ".join(str(text).split()).replace("`", "'")


def _contamination(checked: str, flagged: int, facts: Mapping[str, Any]) -> str:
    if not checked:
        return "Not checked."
    if facts["kept"]:
        fate = "are in it all the same"
    else:
        fate = "could not be selected; others took their places"
    pinned = len(facts.get("pinned", ()))
    less = f" ({pinned:,} pinned by hand are in)" if pinned else ""
    return (
        f"Checked against {checked}: {flagged:,} instructions share {facts['words']} or more "
        f"consecutive words with it and {fate}{less}; `manifest.json` lists them."
    )


def _header(manifest: Mapping[str, Any], form: Format, licence: str | None) -> str:
    counts = manifest["counts"]
    n = counts["exported"]
    size = next((label for limit, label in _SIZES if n < limit), "1M<n<10M")
    fields = [
        *([f"license: {json.dumps(licence)}"] if licence else []),
        f"pretty_name: {json.dumps(manifest['name'], ensure_ascii=False)}",
        "task_categories:",
        "- text-generation",
        "size_categories:",
        f"- {size}",
        "tags:",
        "- crowdselect",
        "- instruction-tuning",
        "- synthetic",
        "configs:",
        "- config_name: default",
        "  data_files:",
        "  - split: train",
        f"    path: {form.file}",
        *(["  - split: test", f"    path: {form.test_file}"] if "test" in counts else []),
    ]
    return "\n".join(["---", *fields, "---"])

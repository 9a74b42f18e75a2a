"""Which questions were looked at, by which study, and what was tried on them.

A test split is worth what it promises only the first time. The journal ``studies/looks.jsonl`` of
a workspace knows every look by what the questions are, not by their name, and every comparison
that was made on them, so that corrections count all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from crowdselect import files
from crowdselect.errors import InputError
from crowdselect.pipeline.study.cells import Study
from crowdselect.pipeline.study.plan import rows_of, split_key
from crowdselect.registry import content_key
from crowdselect.settings import Workspace

JOURNAL = "looks.jsonl"


@dataclass(frozen=True)
class Look:
    """One reading of the answers to a set of questions."""

    when: str
    study: str
    look: str
    """Hash of what was compared: the same study, resumed or read again, is the same look."""
    reason: str
    """Why it was looked at again, in the words of whoever did; empty: it was the first look."""
    comparisons: Mapping[str, float]
    """Comparison -> its p-value; empty: it has not come to an end."""
    tried: tuple[str, ...]
    """Labels of the rows."""


def looks_at(study: Study, split: str) -> list[Look]:
    """Every look at the questions of a split by whatever study of the workspace, oldest first.

    A test that did not come to its end was not looked at: its numbers are shown at the end only.
    """
    found = begun(study.home, split_key(study.plan, split))
    return [look for look in found if look.comparisons or split != "test"]


def begun(workspace: Workspace, questions: str) -> list[Look]:
    """The looks at a set of questions (a ``split_key``) in the journal, oldest first."""
    found: dict[str, Look] = {}
    lines = files.read_lines(workspace.studies / JOURNAL)
    for line in sorted(lines, key=lambda line: str(line["when"])):  # imported ones came later
        if line["questions"] == questions:
            given = {name: line[name] for name in Look.__dataclass_fields__}
            look = Look(**{**given, "tried": tuple(line["tried"])})
            first = found.get(look.look, look)
            found[look.look] = replace(look, when=first.when, reason=first.reason)
    return list(found.values())


def look_id(study: Study, split: str) -> str:
    """Hash of everything that a study compares on a split."""
    rows = sorted(row.id for row in rows_of(study.plan))
    return content_key([rows, study.plan.seeds, study.plan.baselines, split])


def begin(study: Study, split: str, again: str = "") -> None:
    """Note that a study is about to read the answers to a split.

    Raises
    ------
    InputError
        Where another study (or this one, as it was) has read the test split, and ``again`` does
        not say why it is read once more.
    """
    mine = look_id(study, split)
    if any(look.look == mine for look in begun(study.home, split_key(study.plan, split))):
        return
    earlier = looks_at(study, split)
    if split == "test" and earlier and not again.strip():
        last = earlier[-1]
        raise InputError(
            f"These test questions have been looked at {_times(len(earlier))}, last by the study "
            f"{last.study} on {last.when[:10]} ({len(last.tried)} rows): what is chosen after a "
            "look is too good on them.",
            "Take fresh questions as test; or say --again 'WHY': the report then tells of every "
            "look and corrects over all of them.",
        )
    note(study, split, {}, reason=again.strip() if earlier else "")


def note(study: Study, split: str, comparisons: Mapping[str, float], reason: str = "") -> None:
    """Write a look down, with what came out so far."""
    line: dict[str, Any] = {
        "questions": split_key(study.plan, split),
        "split": split,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "study": study.plan.name,
        "look": look_id(study, split),
        "reason": reason,
        "comparisons": dict(comparisons),
        "tried": [row.label for row in rows_of(study.plan)],
    }
    files.append_line(study.home.studies / JOURNAL, line)


def note_fit(study: Study, key: str, told: str, runs: int) -> None:
    """Write down that ``runs`` recipes are tried on the development questions, once per fit.

    They count in the correction as comparisons of which nothing came.
    """
    look = content_key(["fit", key])
    questions = split_key(study.plan, "development")
    if any(each.look == look for each in begun(study.home, questions)):
        return
    files.append_line(
        study.home.studies / JOURNAL,
        {
            "questions": questions,
            "split": "development",
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "study": study.plan.name,
            "look": look,
            "reason": "",
            "comparisons": {f"{look} {number}": 1.0 for number in range(runs)},
            "tried": [told],
        },
    )


def lines_of(workspace: Workspace, studies: Collection[str]) -> list[dict[str, Any]]:
    """The journal's lines of ``studies``, and of whoever else looked at the same questions."""
    lines = files.read_lines(workspace.studies / JOURNAL)
    shared = {line["questions"] for line in lines if line["study"] in studies}
    return [line for line in lines if line["questions"] in shared]


def merge(workspace: Workspace, lines: Collection[Mapping[str, Any]]) -> None:
    """Add the lines that the workspace's journal does not have; none of its own is lost."""
    known = files.read_lines(workspace.studies / JOURNAL)
    for line in lines:
        if line not in known:
            files.append_line(workspace.studies / JOURNAL, line)


def is_look(line: Any) -> bool:
    """Whether a line of a file is one of such a journal."""
    wanted = {*Look.__dataclass_fields__, "questions", "split"}
    return (
        isinstance(line, dict)
        and wanted <= line.keys()
        and isinstance(line["tried"], list)
        and isinstance(line["comparisons"], dict)
    )


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")

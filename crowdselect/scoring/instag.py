"""InsTag (arXiv 2308.07074): a judge model tags what an instruction asks for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from crowdselect.lm.messages import Message
from crowdselect.lm.passes import Sample
from crowdselect.reading import read_text
from crowdselect.registry import option
from crowdselect.scoring.base import VECTORS, Column, Found, Scorer
from crowdselect.scoring.prompts import LARGEST
from crowdselect.scoring.tag_forms import (
    Tags,
    always_together,
    frequent_only,
    rename,
    same_meaning,
    same_stems,
)
from crowdselect.scoring.tag_replies import read_tags
from crowdselect.servers import AskPass, server_of

LABELS = (
    "arithmetic", "algebra", "geometry", "statistics", "logic", "programming", "debugging",
    "data analysis", "databases", "physics", "chemistry", "biology", "medicine", "law",
    "economics", "history", "geography", "politics", "philosophy", "religion", "literature",
    "creative writing", "editing", "summarising", "translation", "language learning",
    "planning", "advice", "role play",
)  # fmt: skip
"""29 subjects of our own for ``instag_crowdselect``, which has as many."""
_OPEN = (
    "List the intentions and skills that the instruction below asks for, as short tags: one to "
    "three words each, lower case, as many as there are. Answer with a JSON list of strings only."
)
_CLOSED = (
    "Choose, of these labels only, those that describe the instruction below: {labels}. Answer "
    "with a JSON list of strings only."
)


@dataclass(frozen=True)
class TagPass(AskPass):
    """A chat model's tags of every instruction; with ``labels`` only those."""

    version: ClassVar[int] = 2

    labels: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The pass in a few words."""
        return f"tagging by {self.server['model']}"

    @property
    def empty(self) -> Mapping[str, Any]:
        """No tags, as JSON."""
        return {"tags": None}

    def messages(self, sample: Sample) -> tuple[Message, ...]:
        """The question for tags."""
        task = _CLOSED.replace("{labels}", ", ".join(self.labels)) if self.labels else _OPEN
        text = f"{task}\n\nInstruction:\n{sample.question}"
        return ({"role": "user", "content": text},)

    def read(self, text: str) -> Mapping[str, Any]:
        """The tags of the reply's last list; with ``labels`` those that are among them."""
        tags = read_tags(text)
        if tags is None:
            return {"reason": f"no list of tags in the answer: {text[:60]!r}"}
        known = [tag for tag in tags if not self.labels or tag in self.labels]
        if tags and not known:
            return {"reason": f"none of the labels in the answer: {text[:60]!r}"}
        return {"tags": json.dumps(known)}


@dataclass(frozen=True)
class _Tagger(Scorer):
    """What both variants share: one pass, and its tags."""

    uses: ClassVar = "chat server"

    models: tuple[dict[str, Any], ...] = field(default=())
    """Exactly one ``ServerConfig`` dict."""
    max_tokens: int = option(256, "Longest answer of the judge", low=8, high=100_000)

    def labels(self) -> tuple[str, ...]:
        """The only tags allowed; empty: any."""
        return ()

    def passes(self) -> tuple[TagPass, ...]:
        """One."""
        return (TagPass(server_of(self.name, self.models), self.max_tokens, self.labels()),)

    def answered(self, samples: Sequence[Sample], found: Found) -> dict[str, Tags]:
        """Sample id -> tags as the judge gave them; samples without an answer are left out."""
        got = found[self.passes()[0].key]
        return {
            sample.id: tuple(json.loads(text))
            for sample, text in zip(samples, got["tags"], strict=True)
            if text is not None
        }

    def tags(self, samples: Sequence[Sample], found: Found) -> dict[str, Tags]:
        """Sample id -> tags; samples without an answer are left out."""
        return self.answered(samples, found)

    def report(
        self, samples: Sequence[Sample], found: Found, columns: Mapping[str, Column]
    ) -> dict[str, Any]:
        """How many tags there are, the commonest, and what the most complex samples cover."""
        tags = self.tags(samples, found)
        counts = Counter(tag for each in tags.values() for tag in each)
        order = sorted(tags, key=lambda name: -len(tags[name]))
        best = {f"{k}%": order[: len(order) * k // 100] for k in range(10, 101, 10)}
        return {
            "distinct_tags": len(counts),
            "tags_per_sample": sum(counts.values()) / len(tags) if tags else 0.0,
            "commonest": dict(counts.most_common(20)),
            "coverage": {share: coverage(tags, chosen) for share, chosen in best.items()},
        }


@dataclass(frozen=True)
class InsTag(_Tagger):
    """Open tags; complexity is their number."""

    name: ClassVar[str] = "instag"
    title: ClassVar[str] = "InsTag complexity: number of tags"
    source: ClassVar[str] = "InsTag, arXiv 2308.07074; the prompt is ours"

    merge: str = option(
        "rules",
        "Which tags become one: none; rules: the same stems; semantic: close meanings, too",
        choices=("none", "rules", "semantic"),
    )
    distance: float = option(
        0.05, "semantic: tags join within this cosine distance", low=0.0, high=1.0
    )
    min_count: int = option(
        1, "Tags of fewer samples are dropped; the paper: 20", low=1, high=1_000_000
    )

    def texts(self, samples: Sequence[Sample], found: Found) -> tuple[str, ...]:
        """The tags, where their meaning counts."""
        if self.merge != "semantic":
            return ()
        given = self.answered(samples, found).values()
        names = same_stems(given)
        return tuple(sorted({tag for each in rename(given, names) for tag in each}))

    def tags(self, samples: Sequence[Sample], found: Found) -> dict[str, Tags]:
        """Sample id -> merged tags; samples without an answer are left out."""
        given = self.answered(samples, found)
        merged = list(given.values())
        if self.merge != "none":
            merged = rename(merged, same_stems(merged))
        if self.merge == "semantic":
            pairs = zip(found[VECTORS]["text"], found[VECTORS]["vector"], strict=True)
            merged = rename(merged, same_meaning(merged, dict(pairs), self.distance))
            merged = rename(merged, always_together(merged))
        return dict(zip(given, frequent_only(merged, self.min_count), strict=True))

    def columns(self, samples: Sequence[Sample], found: Found) -> dict[str, Column]:
        """``instag``: tags per instruction, after merging."""
        reasons = found[self.passes()[0].key]["reason"]
        tags = self.tags(samples, found)
        values = [float(len(tags[s.id])) if s.id in tags else np.nan for s in samples]
        column = Column(np.array(values), reasons, self.title, "higher = more intentions")
        return {"instag": column}

    def report(
        self, samples: Sequence[Sample], found: Found, columns: Mapping[str, Column]
    ) -> dict[str, Any]:
        """What every tagger says, and how many tags there were before merging."""
        raw = {tag for each in self.answered(samples, found).values() for tag in each}
        return {"tags_before_merging": len(raw), **super().report(samples, found, columns)}


@dataclass(frozen=True)
class InsTagCrowdSelect(_Tagger):
    """Tags from a fixed list; complexity is the number of words, as CrowdSelect's code has it."""

    name: ClassVar[str] = "instag_crowdselect"
    title: ClassVar[str] = "InsTag as published with CrowdSelect: number of words"
    source: ClassVar[str] = "CrowdSelect's repository, InsTag baseline; the labels are ours"

    labels_file: str = option(
        "", "Text file with one label per line; else 29 of our own", opens="file"
    )

    def labels(self) -> tuple[str, ...]:
        """The labels of the file, or ours."""
        if not self.labels_file:
            return LABELS
        path = Path(self.labels_file).expanduser()
        lines = read_text(path, limit=LARGEST).text.splitlines()
        return tuple(" ".join(line.lower().split()) for line in lines if line.strip())

    def columns(self, samples: Sequence[Sample], found: Found) -> dict[str, Column]:
        """``instag_crowdselect``: words per instruction."""
        got = found[self.passes()[0].key]
        values = np.array([float(len(sample.instruction.split())) for sample in samples])
        column = Column(values, got["reason"], self.title, "higher = longer", "words")
        return {"instag_crowdselect": column}


def coverage(tags: Mapping[str, Sequence[str]], chosen: Sequence[str]) -> float:
    """InsTag's diversity: the share of all tags that the chosen ids hold, in [0, 1]."""
    every = {tag for each in tags.values() for tag in each}
    held = {tag for name in chosen for tag in tags.get(name, ())}
    return len(held) / len(every) if every else 0.0

"""Translation: BLEU and chrF by sacrebleu, COMET where it is installed (SelectIT's domain case)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from crowdselect.benchmark.answering import subject_answers
from crowdselect.benchmark.base import Benchmark, Context, Item, Score
from crowdselect.benchmark.conversations import read_rows
from crowdselect.benchmark.statistics import Interval, jackknife, within
from crowdselect.errors import InputError, MissingDependencyError, require
from crowdselect.lm.generation import Request
from crowdselect.reading import name_list
from crowdselect.registry import option


@dataclass(frozen=True)
class Segment:
    """One sentence with its reference translation."""

    id: str
    source: str
    target: str


@dataclass(frozen=True)
class Translation(Benchmark):
    """Corpus BLEU and chrF with intervals; single segments are compared by their chrF."""

    name: ClassVar[str] = "translation"
    title: ClassVar[str] = "Translation"
    unit: ClassVar[str] = "chrF of a segment"
    source: ClassVar[str] = "sacrebleu (Post 2018); COMET (Rei et al. 2020)"
    kind: ClassVar[Literal["translation"]] = "translation"

    path: str = option(
        "", "File with the columns source and target, or a translation object", opens="file"
    )
    source_language: str = option("German", "Language of the source, as the prompt names it")
    target_language: str = option("English", "Language of the target, as the prompt names it")
    prompt: str = option(
        "Translate from {source_language} to {target_language}. Reply with the translation only."
        "\n\n{source}",
        "What the model is asked",
    )
    tokenize: str = option(
        "13a", "sacrebleu's tokenisation for BLEU",
        choices=("13a", "intl", "zh", "ja-mecab", "ko-mecab", "char", "none"),
    )  # fmt: skip
    comet: str = option("", "COMET model (checkpoint file or hub id); empty: none", opens="model")
    max_new_tokens: int = option(512, "Longest translation in tokens", low=1, high=32768)

    @property
    def label(self) -> str:
        """The name and the file."""
        return f"{self.name}:{Path(self.path).stem}"

    def protocol(self, context: Context) -> dict[str, Any]:
        """As every benchmark's; with sacrebleu's version."""
        if not self.path:
            raise InputError(
                "translation needs a file of segments.",
                "Write --suite translation:path=FILE; its columns are source and target.",
            )
        require("sacrebleu", feature="BLEU and chrF", extra="benchmark")
        from importlib.metadata import version

        return {**super().protocol(context), "sacrebleu": version("sacrebleu")}

    def run(self, context: Context) -> Sequence[Item]:
        """Translate every segment greedily and measure it."""
        segments = read_segments(self.path)[: context.limit]
        requests = [
            Request(s.id, ({"role": "user", "content": self._prompt(s)},)) for s in segments
        ]
        answers = subject_answers(context, requests, self.max_new_tokens)
        comet = _comet(self.comet, segments, answers) if self.comet else {}
        return [self._item(s, answers[s.id], comet.get(s.id)) for s in segments]

    def _prompt(self, segment: Segment) -> str:
        values = {"source_language": self.source_language,
                  "target_language": self.target_language, "source": segment.source}  # fmt: skip
        text = self.prompt
        for name, value in values.items():
            text = text.replace("{" + name + "}", value)
        return text

    def _item(self, segment: Segment, record: Mapping[str, Any], comet: float | None) -> Item:
        item = Item(segment.id, "", None, segment.source, record["text"], record["problem"])
        if record["problem"]:
            return item
        bleu, chrf = _metrics(self.tokenize)
        references = [[segment.target]]
        details = {
            "reference": segment.target,
            "comet": comet,
            "bleu": _statistics(bleu, record["text"], references),
            "chrf": _statistics(chrf, record["text"], references),
        }
        value = float(chrf.sentence_score(record["text"], [segment.target]).score)
        return replace(item, value=value, details=details)

    def scores(self, items: Sequence[Item], seed: int) -> list[Score]:
        """Corpus BLEU, corpus chrF, COMET where there is one, and the mean chrF of segments."""
        segment = super().scores(items, seed)[0]
        valid = [i for i in items if i.value is not None]
        if not valid:
            return [segment]
        bleu, chrf = _metrics(self.tokenize)
        corpus = [
            replace(segment, metric=name, interval=_corpus(metric, [i.details[key] for i in valid]))
            for name, key, metric in (("BLEU", "bleu", bleu), ("chrF", "chrf", chrf))
        ]  # fmt: skip
        rated = [replace(i, value=i.details["comet"]) for i in valid]
        comet = [replace(super().scores(rated, seed)[0], metric="COMET")] if self.comet else []
        return [*corpus, *comet, segment]


def read_segments(path: str) -> list[Segment]:
    """Segments with ``source`` and ``target``, or a ``translation`` object of two languages.

    Raises InputError naming file and row.
    """
    found = []
    for number, row in read_rows(path):
        pair = row.get("translation")
        texts: list[Any] = [row.get("source"), row.get("target")]
        texts = list(pair.values()) if isinstance(pair, dict) else texts
        if len(texts) != 2 or not all(isinstance(t, str) and t.strip() for t in texts):
            raise InputError(
                f"{path}, row {number} holds no pair; its columns are {name_list(row)}.",
                "Rows need source and target, or a translation object with two languages.",
            )
        found.append(Segment(str(row.get("id") or number), texts[0], texts[1]))
    if not found:
        raise InputError(f"{path} holds no segments.", "Give a file with at least one.")
    return found


def _metrics(tokenize: str) -> tuple[Any, Any]:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    return BLEU(tokenize=tokenize, effective_order=False), CHRF()


def _statistics(metric: Any, text: str, references: Sequence[Sequence[str]]) -> list[int]:
    """The counts whose sums over segments give the corpus score."""
    rows: list[list[int]] = metric._extract_corpus_statistics([text], references)
    return [int(count) for count in rows[0]]


def _corpus(metric: Any, rows: Sequence[Sequence[int]]) -> Interval:
    """Corpus score with a jackknife interval over segments."""
    table = np.array(rows, dtype=np.int64)

    def score(sums: Any) -> float:
        return float(metric._compute_score_from_stats(sums.tolist()).score)

    total = table.sum(axis=0)
    without = np.array([score(total - row) for row in table])
    return within(jackknife(score(total), without), (0.0, 100.0))


def _comet(
    name: str, segments: Sequence[Segment], answers: Mapping[str, Mapping[str, Any]]
) -> dict[str, float]:
    """COMET of each segment; a name that is no file is fetched from the hub."""
    if find_spec("comet") is None:
        raise MissingDependencyError(
            "COMET",
            "unbabel-comet",
            "It does not install beside transformers 5: leave comet out, and score the saved "
            "answers with it in an environment of its own.",
        )
    from comet import download_model, load_from_checkpoint

    path = name if Path(name).is_file() else download_model(name)
    rows = [{"src": s.source, "mt": answers[s.id]["text"], "ref": s.target} for s in segments]
    found = load_from_checkpoint(path).predict(rows, progress_bar=False).scores
    return {s.id: float(value) for s, value in zip(segments, found, strict=True)}

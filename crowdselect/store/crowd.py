"""A handle on one ingested crowd: everything that reads it, and the few things that add to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa

from crowdselect.deeds import Action, deed
from crowdselect.errors import InputError, NotFoundError
from crowdselect.files import where_the_disk_allows
from crowdselect.lm.messages import Message
from crowdselect.progress import Progress, silent
from crowdselect.registry import content_key, did_you_mean
from crowdselect.settings import Workspace
from crowdselect.store import search as searching
from crowdselect.store.changing import changing
from crowdselect.store.connect import check_version, open_read_only, quote
from crowdselect.store.judge_names import check_names
from crowdselect.store.models_table import arrange, models_from_rows, read_models, write_models
from crowdselect.store.notes import Notes
from crowdselect.store.numbers import ROW
from crowdselect.store.questions import PROMPTS
from crowdselect.store.report import read_report, some
from crowdselect.store.rewards import (
    LARGE,
    RewardFile,
    list_rewards,
    mapped_rewards,
    read_rewards,
    write_rewards,
)
from crowdselect.store.scores import Imported, ScoreFiles, ScoreInfo, read_score_file, with_ids_of
from crowdselect.store.texts import StoredTexts, strings
from crowdselect.values import BoolArray, FloatArray, IdArray, IntArray, Model, RewardMatrix, Scores


@dataclass(frozen=True)
class Instruction:
    """One instruction with what was kept beside it."""

    id: str
    text: str
    extra: Mapping[str, Any] = field(default_factory=dict)


class Crowd:
    """One ingested crowd, opened read-only; safe for threads (a cursor per call).

    It keeps what it opened: after a re-ingest an open crowd goes on showing the old data, and
    :func:`crowdselect.store.opening.open_crowd` gives the new.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self._inode = path.stat().st_ino
        self._con = open_read_only(path / "crowd.duckdb")
        meta = dict(self._rows("SELECT key, value FROM crowd.meta"))
        check_version(self.name, meta)
        self._meta = meta
        names = [n for (n,) in self._rows("SELECT name FROM crowd.models ORDER BY model")]
        self._models_seen = (path / "models.csv").read_bytes()
        self.models: tuple[Model, ...] = arrange(names, read_models(path / "models.csv"))
        place = {m.name: k for k, m in enumerate(self.models)}
        self._columns = np.array([place[n] for n in names], dtype=np.int64)
        self.n: int = int(self._rows("SELECT count(*) FROM crowd.instructions")[0][0])
        self.report = read_report(path / "report.json", meta.get("crowdselect", "?"))
        self.texts = StoredTexts(self._con, self.n, self._columns)
        self.notes = Notes(path / "notes.jsonl")
        self._has_turns = bool(
            self._rows(
                "SELECT 1 FROM duckdb_tables() WHERE database_name = 'crowd' AND table_name = ?",
                [PROMPTS],
            )
        )
        self._scores = ScoreFiles(path / "scores")
        # Mapped now, so that a re-ingest cannot slip another crowd's rewards under this one.
        self._rewards = {
            f.judge: (f, pa.memory_map(str(f.path))) for f in list_rewards(path / "rewards")
        }
        self._matrices: dict[str, RewardMatrix] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the handle cannot be used afterwards."""
        self._con.close()

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._con.cursor().execute(sql, list(values)).fetchall()

    # ------------------------------------------------------------------ what it is

    @property
    def judges(self) -> tuple[str, ...]:
        """Names of the reward models, the default first."""
        return tuple(self._rewards)

    @property
    def fingerprint(self) -> str:
        """Hex sha256 of ids, texts, models' names and every judge's rewards.

        Families and sizes are not in it: who depends on them adds ``models`` to the key.
        """
        parts = [self._meta["fingerprint"]]
        parts += sorted(f"{judge}\0{f.digest}" for judge, (f, _) in self._rewards.items())
        return sha256("\n".join(parts).encode()).hexdigest()

    @property
    def cache(self) -> Path:
        """Folder of artifacts keyed by content; made on first use, where the disk allows it."""
        folder = self.path / "cache"
        with where_the_disk_allows():
            folder.mkdir(exist_ok=True)
        return folder

    @cached_property
    def ids(self) -> IdArray:
        """Instruction ids in row order: shape (n,), Python strings."""
        ids = strings(self._con, "SELECT id FROM crowd.instructions ORDER BY row", self.n)
        ids.setflags(write=False)
        return ids

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """Id -> row."""
        return {i: k for k, i in enumerate(self.ids.tolist())}

    def rows(self, ids: Iterable[str]) -> IntArray:
        """Rows of ``ids`` in their order, shape (k,); ids that are not here are left out."""
        rows = (self.row_of.get(str(i), -1) for i in ids)
        return np.array([row for row in rows if row >= 0], dtype=np.int64)

    def mask(self, rows: IntArray) -> BoolArray:
        """True at ``rows``, shape (n,)."""
        mask = np.zeros(self.n, dtype=bool)
        mask[rows] = True
        return mask

    def report_lines(self) -> list[str]:
        """The ingest report in sentences, judges' gaps, lost notes, what awaits confirmation."""
        guessed = [m.name for m in self.models if m.source == "guessed"]
        unknown = [m.name for m in self.models if m.family is None or m.size_b is None]
        lines = self.report.lines()
        lines += [line for f, _ in self._rewards.values() if (line := f.sentence())]
        lines += [self.notes.damage()] if self.notes.damaged() else []
        if guessed:
            lines.append(
                f"Family and size were guessed from the name for {some(guessed)}: "
                "please confirm them."
            )
        if unknown:
            lines.append(
                f"Family or size is unknown for {some(unknown)}: they take no part in stability."
            )
        return lines

    # ------------------------------------------------------------------ reading

    def rewards(self, judge: str | None = None) -> RewardMatrix:
        """Return a judge's rewards (None: the first judge's), float64, NaN = missing; cached.

        Raises NotFoundError for an unknown judge, or where there are no rewards at all.
        """
        name = self.judges[0] if judge is None and self.judges else judge
        if name not in self._rewards:
            raise NotFoundError(
                f"The crowd {self.name!r} has no judge {name!r}."
                if name
                else f"The crowd {self.name!r} has no rewards yet.",
                did_you_mean(name or "", self.judges),
            )
        if name not in self._matrices:
            values = self._read_rewards(*self._rewards[name])
            values.setflags(write=False)
            self._matrices[name] = RewardMatrix(name, self.ids, self.models, values)
        return self._matrices[name]

    def _read_rewards(self, file: RewardFile, source: pa.NativeFile) -> FloatArray:
        names = [m.name for m in self.models]
        if self.n * len(names) * 8 <= LARGE:
            return read_rewards(source, names)
        key = content_key([file.digest, names], 20)
        return mapped_rewards(source, names, self.cache / "rewards" / f"{key}.npy")

    def instruction(self, row: int) -> Instruction:
        """Return one instruction; raises NotFoundError for a row that does not exist."""
        found = self._rows("SELECT id, text FROM crowd.instructions WHERE row = ?", [int(row)])
        if not found:
            raise NotFoundError(
                f"There is no row {row} in {self.name!r}.", f"Rows are 0 to {self.n - 1}."
            )
        names = self._extra_names
        columns = ", ".join(map(quote, names))
        extra = (
            self._rows(f"SELECT {columns} FROM crowd.extra WHERE {ROW} = ?", [int(row)])[0]
            if names
            else ()
        )
        key, text = found[0]
        return Instruction(key, text, dict(zip(names, extra, strict=True)))

    def instruction_texts(self, rows: IntArray | Sequence[int] | None = None) -> list[str]:
        """Return the texts of ``rows`` in that order, or of every instruction.

        A text is the whole question: system prompt and earlier turns, if any, parted by empty
        lines, as :func:`crowdselect.lm.prompts.question_text` writes them.
        """
        if rows is None:
            return list(self.texts.instructions())
        wanted = np.asarray(rows, dtype=np.int64)
        found = self._rows(
            "SELECT w.at, i.text FROM crowd.instructions AS i JOIN "
            "(SELECT unnest(?)::INTEGER AS row, unnest(range(?)) AS at) AS w USING (row) "
            "ORDER BY w.at",
            [wanted, len(wanted)],
        )
        return [text for _, text in found]

    def prompts(self, rows: IntArray | Sequence[int] | None = None) -> list[tuple[Message, ...]]:
        """Return what was asked in ``rows``, in that order, or in every row: see :meth:`prompt`."""
        wanted = np.arange(self.n) if rows is None else np.asarray(rows, dtype=np.int64)
        texts = self.instruction_texts(rows)
        turns: dict[int, str] = {}
        if self._has_turns:
            turns = dict(
                self._rows(
                    f"SELECT row, prompt FROM crowd.{PROMPTS} "
                    "WHERE row IN (SELECT unnest(?)::INTEGER)",
                    [wanted],
                )
            )
        return [
            tuple(json.loads(turns[row])) if row in turns else (Message(role="user", content=text),)
            for row, text in zip(wanted.tolist(), texts, strict=True)
        ]

    def prompt(self, row: int) -> tuple[Message, ...]:
        """Return what was asked: system prompt and earlier turns, if any, and the question."""
        return self.prompts([row])[0]

    def answers(self, row: int) -> pd.DataFrame:
        """Return one instruction's answers, one line per model in the crowd's order.

        Columns: model, family, size_b, response (None: missing), and one per judge (NaN).
        """
        texts: list[str | None] = [None] * len(self.models)
        for model, text in self._rows(
            "SELECT model, text FROM crowd.answers WHERE row = ?", [int(row)]
        ):
            texts[self._columns[model]] = text
        columns: dict[str, Any] = {
            "model": [m.name for m in self.models],
            "family": [m.family for m in self.models],
            "size_b": [np.nan if m.size_b is None else m.size_b for m in self.models],
            "response": pd.Series(texts, dtype=object),
        }
        for judge in self.judges:
            columns[judge] = self.rewards(judge).values[row]
        return pd.DataFrame(columns)

    def responses_of(self, columns: IntArray) -> list[str | None]:
        """For each row i the response of model ``columns[i]`` (-1 or no answer: None)."""
        return self.texts.responses_of(columns)

    def page(self, rows: IntArray | Sequence[int]) -> pd.DataFrame:
        """Return ``rows`` in that order: row, id, instruction, chars, tokens, and the extras."""
        wanted = np.asarray(rows, dtype=np.int64)
        extra = "".join(f", e.{quote(name)}" for name in self._extra_names)
        return (
            self._con.cursor()
            .execute(
                "SELECT i.row, i.id, i.text AS instruction, i.length.chars AS chars, "
                f"i.length.tokens AS tokens{extra} FROM crowd.instructions AS i "
                f"JOIN crowd.extra AS e ON e.{ROW} = i.row JOIN "
                "(SELECT unnest(?)::INTEGER AS row, unnest(range(?)) AS at) AS w "
                "ON w.row = i.row ORDER BY w.at",
                [wanted, len(wanted)],
            )
            .df()
        )

    @cached_property
    def _extra_names(self) -> tuple[str, ...]:
        found = self._con.cursor().execute("SELECT * FROM crowd.extra LIMIT 0").description or []
        return tuple(name for name, *_ in found if name != ROW)

    def extra_columns(self) -> dict[str, np.ndarray]:
        """Return what was kept beside the instructions, by column name, each of shape (n,).

        Numbers are float64 (NaN = none), everything else Python strings or None.
        """
        columns: dict[str, np.ndarray] = {}
        for name in self._extra_names:
            sql = f"SELECT {quote(name)} FROM crowd.extra ORDER BY {ROW}"
            if self._con.cursor().sql(sql).types[0] == "VARCHAR":
                columns[name] = strings(self._con, sql, self.n)
            else:
                columns[name] = _column([value for (value,) in self._rows(sql)])
        return columns

    # ------------------------------------------------------------------ searching

    def search(
        self, words: str, where: searching.Where = "instructions", limit: int = 50
    ) -> searching.SearchHits:
        """Find the instructions that hold all ``words`` ("quoted phrases" stay together).

        Responses are searched by the word index where it was built (:meth:`build_index`), else
        by scanning until ``limit`` are found. The hits say whether they are all there is.
        """
        parts = searching.words_of(words)
        index = searching.index_folder(self.cache, self._meta["fingerprint"])
        if where != "instructions" and searching.can_read(index):
            return searching.search_index(index, parts, where, limit)
        con = self._con.cursor()
        if where == "instructions":
            return searching.scan_instructions(con, parts, limit)
        return searching.scan_responses(con, parts, limit, instructions=where == "both")

    def build_index(self, progress: Progress = silent) -> Path:
        """Build the word index for :meth:`search`; needs the extra ``search`` (tantivy)."""
        folder = searching.index_folder(self.cache, self._meta["fingerprint"])
        return searching.build_index(self._con.cursor(), folder, self.n, progress)

    # ------------------------------------------------------------------ adding

    def set_models(self, models: Sequence[Model] | pd.DataFrame) -> None:
        """Write family and size of every model (a frame: model, family, size_b) to models.csv.

        The order decides ties between best responses. Raises InputError for a model that the
        crowd does not have. The change shows in crowds opened afterwards.
        """
        if isinstance(models, pd.DataFrame):
            models = models_from_rows(
                [{str(k): v for k, v in row.items()} for row in models.to_dict("records")],
                "the models table",
            )
        names = [m.name for m in self.models]
        for model in models:
            if model.name not in names:
                raise InputError(
                    f"The crowd {self.name!r} has no model {model.name!r}.",
                    did_you_mean(model.name, names),
                )
        table = self.path / "models.csv"
        with self._deed("settings", "families and sizes"), changing(self.path):
            self._refuse_stale()
            if table.read_bytes() != self._models_seen:
                raise InputError(
                    f"Families and sizes of {self.name!r} were changed by somebody else meanwhile.",
                    "Open the crowd again, look at them, and make your change there.",
                )
            write_models(table, arrange(names, models))
            self._models_seen = table.read_bytes()

    def add_judge(
        self, name: str, frame: pd.DataFrame, *, problems: Mapping[str, int] | None = None
    ) -> None:
        """Write a judge's rewards: ``frame`` has ``id`` and one column of numbers per model.

        Instructions and models without a value are missing; ``problems`` says why, and how many:
        the crowd's report tells them. Raises InputError for a column that
        is no model. The judge shows in crowds opened afterwards.
        """
        if "id" not in frame.columns:
            raise InputError("The rewards have no column 'id'.", "Give id and one per model.")
        check_names([name], "judge", "The rewards")
        names = [m.name for m in self.models]
        for column in frame.columns:
            if column != "id" and column not in names:
                raise InputError(
                    f"The crowd {self.name!r} has no model {column!r}.",
                    did_you_mean(str(column), names),
                )
        rows = np.array([self.row_of.get(str(i), -1) for i in frame["id"]], dtype=np.int64)
        values = np.full((self.n, len(names)), np.nan)
        for j, model in enumerate(names):
            if model in frame.columns:
                numbers = frame[model].to_numpy(np.float64, na_value=np.nan)
                values[rows[rows >= 0], j] = numbers[rows >= 0]
        values[~np.isfinite(values)] = np.nan
        old = self._rewards.get(name)
        folder = self.path / "rewards"
        with changing(self.path):
            self._refuse_stale()
            position = old[0].position if old else len(list_rewards(folder))
            write_rewards(
                folder, name, names, values, position=position, origin="added", problems=problems
            )

    def _deed(self, action: Action, details: str) -> AbstractContextManager[None]:
        holder = Workspace.holding(self.path)
        return deed(holder, action, f"crowd {self.name}", details=details)

    def _refuse_stale(self) -> None:
        """Raise InputError where another crowd has taken this one's place on disk."""
        if not self.path.exists() or self.path.stat().st_ino != self._inode:
            raise InputError(
                f"The crowd {self.name!r} was ingested anew meanwhile.", "Open it and try again."
            )

    def score_columns(self) -> dict[str, ScoreInfo]:
        """Return the score columns there are (imported or made by models), by name."""
        return self._scores.infos()

    def read_scores(self, name: str) -> Scores:
        """Return a score column, or all columns of one file of scores, in row order."""
        return self._scores.read(name, self.row_of, self.ids)

    def score_reasons(self, column: str) -> dict[str, str]:
        """Return id -> reason of a score column; empty where none were written."""
        return self._scores.reasons(column)

    def write_scores(self, name: str, frame: pd.DataFrame, info: ScoreInfo) -> None:
        """Write scores by id: ``id``, columns of numbers, optional ``<column>__reason``."""
        with changing(self.path):
            self._scores.write(name, frame, info)

    def import_scores(
        self,
        file: str | Path,
        *,
        id_column: str | None = None,
        columns: Sequence[str] | None = None,
        name: str | None = None,
    ) -> Imported:
        """Take over a person's score file (CSV, Parquet or JSONL), joined by id.

        ``columns`` None means every column of numbers, ``id_column`` None the one called id (or
        uuid, instruction_id ...), ``name`` None the file's name without its ending.

        Raises
        ------
        InputError
            For text where a number should be (names row, column and value), repeated ids, or a
            file of which no id is an instruction's.
        """
        path = Path(file)
        frame = read_score_file(path, id_column, columns)
        frame = with_ids_of(frame, self.ids.tolist(), path.name)
        here = frame["id"].isin(self.row_of.keys())
        matched = frame[here]
        info = ScoreInfo(name=name or path.stem, source=f"imported from {path.name}")
        with self._deed("scores", f"{info.name} from {path.name}"):
            self.write_scores(info.name, matched, info)
        numbers = [c for c in frame.columns if c != "id"]
        missing = {c: int((~np.isfinite(matched[c])).sum()) for c in numbers}
        return Imported(
            tuple(numbers), len(matched), int((~here).sum()), self.n - len(matched), missing
        )


def _column(values: list[Any]) -> np.ndarray:
    there = [v for v in values if v is not None]
    if there and all(isinstance(v, int | float) and not isinstance(v, bool) for v in there):
        return np.array([np.nan if v is None else float(v) for v in values])
    column = np.empty(len(values), dtype=object)
    column[:] = [None if v is None else str(v) for v in values]
    return column

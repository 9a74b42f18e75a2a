"""Training data without a crowd: Alpaca, messages, ShareGPT, prompt and completion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from crowdselect.ingest.columns import Named, find_columns
from crowdselect.ingest.shapes import one_answer, unfold_one
from crowdselect.ingest.source import Source, files_of, safe_name, split_names
from crowdselect.plans import Builder, Table
from crowdselect.progress import Progress, silent
from crowdselect.reading import SUFFIXES
from crowdselect.registry import option

AUTHOR = "reference"
_SAMPLE = 50


@dataclass(frozen=True)
class Sft(Source):
    """Files that a model could be trained on as they are: a crowd of one reference answer per row.

    It has no rewards. Scorers (``crowdselect score``) measure it, and selections, exports and
    fine-tunes are made from what they find.
    """

    name: ClassVar[str] = "sft"
    title: ClassVar[str] = "Training data without a crowd: Alpaca, messages, ShareGPT"

    author: str = option(AUTHOR, "what to call the one who gave the answers")
    id_column: str = option("", "column that holds the row's id")
    instruction_column: str = option("", "column that holds the question")
    input_column: str = option("", "column with the second half of the question (Alpaca's input)")
    system_column: str = option("", "column that holds the system prompt")
    response_column: str = option("", "column that holds the answer")
    leave_out: str = option("", "columns to leave out, separated by commas")
    encoding: str = option("utf-8", "encoding of text files, such as latin-1")

    def __call__(self, paths: Sequence[str], builder: Builder, progress: Progress = silent) -> None:
        """Read files, folders or globs."""
        files, remarks = files_of(paths, SUFFIXES, split=self.split or None)
        for remark in remarks:
            builder.note(remark)
        table = builder.open_files(files, encoding=self.encoding, progress=progress)
        self._read(table, builder, progress)

    def crowd_name(self, paths: Sequence[str]) -> str:
        """Return the data set's or the file's name."""
        return safe_name(paths[0].rstrip("/").rsplit("/", 1)[-1]) if paths else self.name

    def _read(self, table: Table, builder: Builder, progress: Progress) -> None:
        names = [c.name for c in table.columns]
        named = Named(
            id=self.id_column,
            instruction=self.instruction_column,
            input=self.input_column,
            system=self.system_column,
            left_out=split_names(self.leave_out, names),
        )
        found = find_columns(table.columns, named, table.label)
        sample = [row for _, row in islice(builder.rows(table), _SAMPLE)]
        shape = one_answer(table, found, sample, self.author, self.response_column)
        plan = unfold_one(table, shape, builder, progress)
        for words, n in sorted(shape.counts.items()):
            builder.note(f"{n:,} {words}")
        self.load(plan, builder, progress, uses=shape.uses)

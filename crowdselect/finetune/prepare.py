"""Training data -> a tokenised data set and an account of every row and token left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from crowdselect import files
from crowdselect.errors import InputError
from crowdselect.finetune.config import FinetuneConfig
from crowdselect.finetune.data import TrainingData, read_data
from crowdselect.finetune.template import chat_format, encode, end_of_turn, unused_parts
from crowdselect.lm.conversations import Conversation
from crowdselect.lm.encoding import IGNORED, ChatFormat, Encoded
from crowdselect.lm.messages import for_template
from crowdselect.progress import Progress, silent

_CHUNK = 256
_NAMED_ROWS = 20


@dataclass(frozen=True)
class DataReport:
    """What became of the rows. Lengths are in tokens, prompt included, after truncation."""

    format: str
    template: str
    """``model``, ``plain``, ``file`` or ``none``."""
    end_token: str | None
    """The token that the model learns to stop with."""
    rows: int
    """Rows in the file."""
    kept: int
    empty: int
    """Left out: no answer, or chosen equals rejected."""
    truncated: int
    """Kept, but cut to the length limit."""
    dropped: int
    """Left out: nothing of the answer fits (or ``overlong='drop'``)."""
    dropped_rows: tuple[int, ...]
    """The first of them, as rows of the file."""
    tokens: int
    """Tokens of the kept rows; for preference pairs of both answers with their prompts."""
    tokens_with_loss: int
    tokens_cut: int
    """Tokens lost to truncation."""
    mean_length: float
    median_length: float
    longest: int
    remarks: tuple[str, ...] = ()
    """How the file was read, and what of it the template does not write."""

    def lines(self) -> list[str]:
        """The report in sentences, one each for whatever is worth knowing."""
        out = [f"{self.kept:,} of {self.rows:,} rows, {self.tokens:,} tokens ({self.format})."]
        if self.empty:
            out.append(f"{self.empty:,} rows have no answer to learn and are left out.")
        if self.truncated:
            out.append(
                f"{self.truncated:,} rows are longer than the limit and lose "
                f"{self.tokens_cut:,} tokens; raise max_length to keep them."
            )
        if self.dropped:
            some = ", ".join(map(str, self.dropped_rows))
            out.append(f"{self.dropped:,} rows are dropped as too long (rows {some}).")
        if self.template == "plain":
            out.append("The plain chat template (### Instruction) is used.")
        if self.end_token is None:
            out.append("The chat template ends no answer: the model will not learn to stop.")
        return [*out, *self.remarks]


@dataclass(frozen=True)
class Prepared:
    """A data set ready for the trainer, and its report."""

    dataset: Any
    """A ``datasets.Dataset`` with ``input_ids, labels`` (int32) or ``prompt, chosen, rejected``."""
    lengths: np.ndarray[Any, np.dtype[np.int64]]
    """Tokens per row."""
    report: DataReport
    chat: ChatFormat


@dataclass
class _Tally:
    truncated: int = 0
    tokens_cut: int = 0
    tokens: int = 0
    tokens_with_loss: int = 0


def prepare(config: FinetuneConfig, tokenizer: Any, *, progress: Progress = silent) -> Prepared:
    """Read, tokenise, truncate and count.

    Raises
    ------
    InputError
        For unreadable rows (see :func:`read_data`), or if no row is left.
    """
    data = read_data(config.data, preference=config.method != "sft")
    chat = chat_format(tokenizer, config.chat_template)
    tally, dropped, lengths = _Tally(), [], []
    missing: Counter[str] = Counter()
    kept: list[Any] = []
    rows = data.conversations
    for chunk in (rows[i : i + _CHUNK] for i in range(0, len(rows), _CHUNK)):
        for conversation, sides in zip(chunk, _sides(tokenizer, chat, chunk), strict=True):
            missing.update(unused_parts(tokenizer, chat, conversation))
            fitted = [_fit(side, config) for side in sides]
            if any(side is None for side in fitted):
                dropped.append(conversation.row)
                continue
            _count(tally, sides, fitted)
            lengths.append(sum(len(side.input_ids) for side in fitted if side))
            kept.append(fitted[0] if config.method == "sft" else conversation)
        progress(chunk[-1].row, rows[-1].row, "tokenising")
    if not kept:
        raise InputError(
            f"No row of {config.data} leaves room for an answer within {config.max_length} tokens.",
            "Raise max_length, or choose shorter instructions.",
        )
    remarks = (*data.remarks, *(f"{part} of {n:,} rows is not used: the chat template does not "
                                "write it." for part, n in sorted(missing.items())))  # fmt: skip
    report = _report(data, chat, end_of_turn(tokenizer, chat), tally, dropped, lengths, remarks)
    return Prepared(_dataset(config, kept), np.array(lengths, dtype=np.int64), report, chat)


def _sides(
    tokenizer: Any, chat: ChatFormat, chunk: Iterable[Conversation]
) -> list[tuple[Encoded, ...]]:
    """Each row's sequences: one, or the chosen and the rejected one."""
    rows = list(chunk)
    chosen = encode(tokenizer, chat, rows)
    if not rows[0].rejected:
        return [(one,) for one in chosen]
    others = [Conversation(row.row, row.rejected, place=row.place) for row in rows]
    return list(zip(chosen, encode(tokenizer, chat, others), strict=True))


def _fit(side: Encoded, config: FinetuneConfig) -> Encoded | None:
    limit = config.max_length
    if len(side.input_ids) <= limit:
        return side
    cut = replace(side, input_ids=side.input_ids[:limit], labels=side.labels[:limit])
    if config.overlong == "drop" or all(label == IGNORED for label in cut.labels):
        return None
    return cut


def _count(tally: _Tally, sides: Iterable[Encoded], fitted: Iterable[Encoded | None]) -> None:
    cut = 0
    for before, after in zip(sides, fitted, strict=True):
        assert after is not None
        cut += len(before.input_ids) - len(after.input_ids)
        tally.tokens += len(after.input_ids)
        tally.tokens_with_loss += sum(label != IGNORED for label in after.labels)
    tally.truncated += cut > 0
    tally.tokens_cut += cut


def _report(
    data: TrainingData,
    chat: ChatFormat,
    end_token: str | None,
    tally: _Tally,
    dropped: list[int],
    lengths: list[int],
    remarks: tuple[str, ...],
) -> DataReport:
    return DataReport(
        format=data.format,
        template=chat.source,
        end_token=end_token,
        rows=len(data.conversations) + len(data.empty),
        kept=len(lengths),
        empty=len(data.empty),
        dropped=len(dropped),
        dropped_rows=tuple(dropped[:_NAMED_ROWS]),
        mean_length=float(np.mean(lengths)),
        median_length=float(np.median(lengths)),
        longest=int(max(lengths)),
        remarks=remarks,
        **asdict(tally),
    )


def _dataset(config: FinetuneConfig, kept: list[Any]) -> Any:
    from datasets import Dataset, Features, List, Value

    if config.method == "sft":
        ids = List(Value("int32"))
        return Dataset.from_dict(
            {"input_ids": [k.input_ids for k in kept], "labels": [k.labels for k in kept]},
            features=Features({"input_ids": ids, "labels": ids}),
        )
    return Dataset.from_dict(
        {
            "prompt": [for_template(c.messages[: c.prompt_turns]) for c in kept],
            "chosen": [for_template(c.messages[c.prompt_turns :]) for c in kept],
            "rejected": [for_template(c.rejected[c.prompt_turns :]) for c in kept],
        }
    )


def save_prepared(prepared: Prepared, folder: Path) -> None:
    """Write the data set so that a worker or a resumed run reads it back as it was."""
    with files.build_folder_aside(folder) as aside:
        prepared.dataset.save_to_disk(str(aside / "rows"))
        np.save(aside / "lengths.npy", prepared.lengths)
        files.write_json(
            aside / "report.json",
            {"report": asdict(prepared.report), "chat": asdict(prepared.chat)},
        )


def load_prepared(folder: Path) -> Prepared:
    """Read what :func:`save_prepared` wrote."""
    from datasets import load_from_disk

    record = files.read_json(folder / "report.json")
    rows = tuple(record["report"].pop("dropped_rows"))
    remarks = tuple(record["report"].pop("remarks", ()))
    return Prepared(
        dataset=load_from_disk(str(folder / "rows")),
        lengths=np.load(folder / "lengths.npy"),
        report=DataReport(dropped_rows=rows, remarks=remarks, **record["report"]),
        chat=ChatFormat(**record["chat"]),
    )

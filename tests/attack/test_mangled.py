"""Every reader of a file that a person gives, on mangled files: rightly read, or one sentence.

300 seeded cases here; ``make fuzz`` reads ten thousand (CROWDSELECT_FUZZ says how many).
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from crowdselect.benchmark import conversations as heldout
from crowdselect.benchmark.harness_task import local_task
from crowdselect.benchmark.judges.prompts import read_named, read_single
from crowdselect.benchmark.questions import read_answers, read_questions
from crowdselect.benchmark.questions import read_references as expert_answers
from crowdselect.benchmark.translation import read_segments
from crowdselect.cli.recipe import read_recipe
from crowdselect.errors import CrowdSelectError
from crowdselect.export import read_references
from crowdselect.ingest.alpaca_eval import _items, _Seen
from crowdselect.ingest.lima import _tables
from crowdselect.lm.conversations import read_conversations
from crowdselect.lm.prompts import read_prompts
from crowdselect.progress import silent
from crowdselect.reading import read_table, read_text
from crowdselect.store import read_models
from crowdselect.store.scores import read_score_file
from crowdselect.values import Recipe

from . import mangling

CASES = int(os.environ.get("CROWDSELECT_FUZZ", "300"))
PART = 50
TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Name a river – north?"},
    {"role": "assistant", "content": "Oder", "reasoning_content": "hm", "weight": 1},
]
CALL = [
    {"role": "user", "content": [{"type": "text", "text": "Oslo?"}]},
    {"role": "assistant", "content": None,
     "tool_calls": [{"function": {"name": "f", "arguments": '{"a": 1}'}}]},
    {"role": "tool", "content": "12"},
    {"role": "assistant", "content": "12 degrees"},
]  # fmt: skip
SHARE = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]
Rows = list[dict[str, Any]]
TALKS: tuple[Rows, ...] = (
    [{"id": k, "messages": t, "n": None} for k, t in enumerate((TALK, CALL, TALK))],
    [{"conversations": SHARE, "system": "s", "tools": "[]"}] * 3,
    [{"instruction": "q", "input": "i", "output": "a", "history": [["x", "y"]]}] * 3,
    [{"prompt": "q", "completion": "42", "category": "c"}] * 3,
    [{"prompt": "q", "chosen": SHARE, "rejected": [SHARE[0], {"from": "gpt", "value": "b"}]}] * 2,
    [{"prompt": "q", "chosen": "good", "rejected": "bad"}] * 2,
)
ASKED: tuple[Rows, ...] = (
    [{"question_id": k, "turns": ["one", "two"], "category": "c"} for k in range(3)],
    [{"uid": str(k), "prompt": "one", "cluster": "c"} for k in range(3)],
    [{"messages": TALK[:2]}, {"messages": CALL}],
    [{"id": "a", "instruction": "q", "input": "i", "dataset": "d"}],
)
TASKS: tuple[Rows, ...] = (
    [{"question": "q", "choices": ["1", "2"], "answer": 1}] * 2,
    [{"question": "q", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "answerKey": "B"}] * 2,
    [{"question": "q", "answer": ["x", "y"], "passage": "p"}] * 2,
    [{"question": "r", "answer": 4}],
)
READERS: dict[str, tuple[Callable[[Path], Any], tuple[Rows, ...]]] = {
    "table": (read_table, (*TALKS, *ASKED, *TASKS)),
    "training": (read_conversations, TALKS),
    "held out": (heldout.read_conversations, TALKS),
    "prompts": (read_prompts, (*ASKED, *TALKS)),
    "questions": (read_questions, ASKED),
    "expert answers": (
        lambda path: expert_answers(str(path)),
        ([{"question_id": 1, "choices": [{"index": 0, "turns": ["a", "b"]}]}] * 2,),
    ),
    "answers": (
        lambda path: read_answers(str(path)),
        ([{"uid": "1", "messages": TALK}], [{"instruction": "q", "output": "a"}]),
    ),
    "tasks": (lambda path: local_task(path, path.parent / "out"), TASKS),
    "segments": (
        lambda path: read_segments(str(path)),
        ([{"source": "a", "target": "b"}], [{"translation": {"de": "a", "en": "b"}}]),
    ),
    "judge prompts": (
        lambda path: read_named(str(path)),
        ([{"name": "n", "system_prompt": "s", "prompt_template": "{question}"}],),
    ),
    "references": (read_references, (*ASKED, *TALKS)),
    "models": (
        read_models,
        ([{"model": f"m-{k}B", "family": "f", "size_b": f"{k},5"} for k in range(1, 4)],),
    ),
    "scores": (
        lambda path: read_score_file(path, None, None),
        ([{"id": f"q{k}", "score": k / 3, "other": str(k)} for k in range(4)],),
    ),
    "lima": (
        lambda path: list(_tables([path], lambda line: None, {}, silent)),
        ([{"conversations": ["q", "a"], "source": "s"}] * 3,),
    ),
    "alpaca eval": (
        lambda path: _items(path, _Seen()),
        ([{"instruction": "q", "output": "a", "generator": "m"}] * 2,),
    ),
}
RECIPE = Recipe(crowd="c", weights={"difficulty": 1.5}, pins=("a", "é"), seed=7)


def _mangled_file(seed: int, folder: Path) -> tuple[str, Path]:
    rng = random.Random(seed)
    name = rng.choice(list(READERS))
    rows = rng.choice(READERS[name][1])
    suffix = rng.choice(mangling.SUFFIXES)
    path = folder / f"f{seed}.{suffix}"
    path.write_bytes(mangling.mangled(rows, suffix, rng))
    return name, path


@pytest.mark.parametrize("part", range(0, CASES, PART))
def test_mangled_files_are_read_rightly_or_refused_in_a_sentence(part: int, tmp_path: Path) -> None:
    refused = 0
    for seed in range(part, min(part + PART, CASES)):
        name, path = _mangled_file(seed, tmp_path)
        found = _read_or_refused(READERS[name][0], path, f"seed {seed}: {name} of {path.name}")
        refused += found is REFUSED
        if name == "table" and path.name.endswith(".jsonl") and found is not REFUSED:
            expected = mangling.plain_rows(path)
            assert expected is None or repr(list(found.rows)) == repr(expected), seed
    assert refused < PART, "the generator makes files that can be read, too"


REFUSED = object()


def _read_or_refused(reader: Callable[[Path], Any], path: Path, label: str) -> Any:
    """What the reader found, or that it refused the file; anything else fails with ``label``."""
    try:
        return reader(path)
    except CrowdSelectError as error:
        said = error
    except BaseException as error:
        raise AssertionError(f"{label}: {error!r}") from error
    assert "\n" not in said.problem.strip(), (label, said.problem)
    assert len(said.problem) < 1500, (label, said.problem)
    assert said.remedy, label
    return REFUSED


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("suffix", mangling.SUFFIXES)
def test_sound_files_of_every_kind_are_read(name: str, suffix: str, tmp_path: Path) -> None:
    reader, examples = READERS[name]
    if name in ("lima", "expert answers", "alpaca eval") and suffix in ("csv", "tsv"):
        pytest.skip("lists in cells of a CSV are no layout of these")
    if name == "alpaca eval" and suffix != "json":
        pytest.skip("AlpacaEval writes JSON")
    for k, rows in enumerate(examples):
        columns = set(rows[0])
        if name in ("held out", "prompts") and columns & {"chosen", "turns"}:
            continue
        if (suffix in ("csv", "tsv") and "translation" in columns) or (
            suffix == "parquet" and any(row.get("messages") is CALL for row in rows)
        ):
            continue  # these kinds of files cannot hold such rows as such
        path = tmp_path / f"{k}.{suffix}"
        path.write_bytes(mangling.whole(rows, suffix))
        reader(path)


@pytest.mark.parametrize("part", range(0, CASES // 3, PART))
def test_mangled_recipes_are_refused_in_a_sentence(part: int, tmp_path: Path) -> None:
    odd = (-1, 2**32, 2**70, 1e308, True, "x", "", [1], {"a": 1}, [[]], float("nan"), float("inf"))
    for seed in range(part, part + PART):
        rng = random.Random(seed)
        fields = RECIPE.model_dump(mode="json", exclude_none=True)
        for _ in range(rng.choice((0, 1, 2))):
            inner = rng.choice((fields["weights"], fields["filters"]))
            holder = fields if rng.random() < 0.7 else inner
            if isinstance(holder, dict) and holder:
                holder[rng.choice([*holder, "odd"])] = rng.choice(odd)
        data = tomli_w.dumps(fields).encode()
        if rng.random() < 0.5:
            data = rng.choice(mangling._BYTES)(data, rng)
        path = tmp_path / f"{seed}.toml"
        path.write_bytes(data)
        _read_or_refused(lambda file: Recipe.model_validate(read_recipe(file)).id, path, str(seed))


@pytest.mark.parametrize("text", ["a: [", "a: *x", "- 1", "prompt_template: 3", "[" * 5000, "\0"])
def test_mangled_judge_configurations(text: str, tmp_path: Path) -> None:
    for name in ("j.yaml", "j.json"):
        (tmp_path / name).write_text(text)
        with pytest.raises(CrowdSelectError):
            read_single(str(tmp_path / name))


def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "link.jsonl").symlink_to("/dev/zero")
    (tmp_path / "empty").mkdir()
    odd = [tmp_path / name for name in ("pipe.jsonl", "link.jsonl", "empty", "none.csv")]
    for name, (reader, _) in READERS.items():
        for path in odd:
            assert _read_or_refused(reader, path, name) is REFUSED, (name, path.name)
    for path in odd:
        with pytest.raises(CrowdSelectError):
            read_text(path)
        with pytest.raises(CrowdSelectError):
            read_recipe(path)

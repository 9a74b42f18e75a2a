"""Scorers over really run models: equal to one text at a time, resumable, on one process or Ray."""

import numpy as np
import pytest
import torch

from crowdselect.errors import InputError
from crowdselect.scoring import IFD, SCORERS, LanguageModel, ModelSpec, Sample, SelectIT, score
from crowdselect.scoring.digits import digit_tokens
from crowdselect.scoring.prompts import RATING_PROMPTS, rating_prompts, rating_text
from crowdselect.scoring.ratings import digit_shares, sentence_scores, token_scores


def selectit(*models, **options) -> SelectIT:
    specs = tuple({"model": str(m), "batch_tokens": 400} for m in models)
    return SelectIT(models=specs, **options)


def test_selectit_equals_the_formula_on_full_logits(small_model, samples, tmp_path):
    scorer = selectit(small_model, n_prompts=3)
    got = score(samples, scorer, tmp_path).columns["selectit"].values
    lm = LanguageModel(ModelSpec(model=str(small_model)))
    digits = [lm.ids(f"\n{d}")[-1] for d in range(1, 6)]
    for row in (0, 7, 22):
        sample = samples[row]
        raw = []
        for prompt in rating_prompts(3, 5):
            ids = lm.ids(rating_text(prompt, sample.instruction, sample.response))
            with torch.inference_mode():
                logits = lm.model(torch.tensor([ids])).logits[0, -1].double()
            raw.append(torch.softmax(logits, -1)[digits].numpy())
        want = sentence_scores(token_scores(digit_shares(np.array(raw))))
        assert got[row] == pytest.approx(float(want), abs=1e-4)


def test_sample_first_reads_a_sample_once_and_scores_the_texts_in_that_order(
    small_model, samples, tmp_path
):
    """The texts of all prompts are equal up to the prompt; each is scored as if it were alone."""
    scorer = selectit(small_model, order="sample_first")
    got = score(samples[:5], scorer, tmp_path).columns["selectit"].values
    lm = LanguageModel(ModelSpec(model=str(small_model)))
    for row, sample in enumerate(samples[:5]):
        texts = [
            rating_text(prompt, sample.instruction, sample.response, "sample_first")
            for prompt in rating_prompts(5, 5)
        ]
        assert all(t.startswith(f"Instruction: {sample.instruction}\nResponse: ") for t in texts)
        digits = digit_tokens(lm, texts[0], 5)
        raw = []
        for text in texts:
            with torch.inference_mode():
                logits = lm.model(torch.tensor([lm.ids(text)])).logits[0, -1].double()
            raw.append(torch.softmax(logits, -1)[digits].numpy())
        want = sentence_scores(token_scores(digit_shares(np.array(raw))))
        assert got[row] == pytest.approx(float(want), abs=1e-4)
    other = score(samples[:5], selectit(small_model), tmp_path).columns["selectit"].values
    assert not np.allclose(got, other), "the order is part of the score"


def test_model_level_weighs_by_parameters(small_model, large_model, samples, tmp_path):
    table = score(samples, selectit(small_model, large_model), tmp_path)
    small = score(samples, selectit(small_model), tmp_path).columns["selectit"].values
    large = score(samples, selectit(large_model), tmp_path).columns["selectit"].values
    sizes = [LanguageModel(ModelSpec(model=str(m))).size_b for m in (small_model, large_model)]
    want = (sizes[0] * small + sizes[1] * large) / sum(sizes)
    np.testing.assert_allclose(table.columns["selectit"].values, want, atol=1e-9)


def test_another_alpha_asks_no_model_again(small_model, samples, tmp_path, monkeypatch):
    score(samples, selectit(small_model), tmp_path)
    monkeypatch.setattr(LanguageModel, "__post_init__", lambda self: pytest.fail("loaded again"))
    damped = score(samples, selectit(small_model, alpha=2.0), tmp_path)
    assert np.isfinite(damped.columns["selectit"].values).all()


class Stop(Exception):
    """Somebody pulls the plug."""


def test_a_stopped_run_goes_on_where_it_was(small_model, samples, tmp_path):
    whole = score(samples, selectit(small_model), tmp_path / "whole", shard_rows=5)
    seen = []

    def pull(done, total, label):
        seen.append(done)
        if done >= 10:
            raise Stop

    with pytest.raises(Stop):
        score(samples, selectit(small_model), tmp_path / "cut", pull, shard_rows=5)
    seen.clear()
    resumed = score(
        samples,
        selectit(small_model),
        tmp_path / "cut",
        lambda done, total, label: seen.append(done),
        shard_rows=5,
    )
    assert seen[0] == 10
    assert resumed.frame().equals(whole.frame())


def test_a_long_response_loses_its_middle_and_says_so(small_model, tmp_path):
    long = Sample("long", "Tell a story.", " ".join(f"word{i}" for i in range(400)))
    endless = Sample("endless", "Why? " * 300, "Because.")
    short = Sample("short", "Say hello.", "Hello.")
    column = score([long, endless, short], selectit(small_model), tmp_path).columns["selectit"]
    assert np.isfinite(column.values[[0, 2]]).all()
    assert column.reasons[0] == "truncated: the middle of the response"
    assert np.isnan(column.values[1])
    assert column.reasons[1] == "instruction too long"
    assert column.reasons[2] is None


def test_digits_that_are_no_single_tokens_fail_at_the_start(small_model):
    lm = LanguageModel(ModelSpec(model=str(small_model)))
    text = rating_text(RATING_PROMPTS[0], "Say hello.", "Hello.")
    assert len(set(digit_tokens(lm, text, 9))) == 9
    with pytest.raises(InputError, match="rating 10 as one token"):
        digit_tokens(lm, text, 10)


def answer_start(lm: LanguageModel, ids: list[int], before: str) -> int:
    """The first token that reaches beyond ``before``; it may begin inside it."""
    texts = (lm.tokenizer.decode(ids[: k + 1]) for k in range(len(ids)))
    return next(k for k, text in enumerate(texts) if len(text) > len(before))


def test_ifd_equals_two_full_forward_passes(small_model, samples, tmp_path):
    rows = [*samples, Sample("empty", "Say nothing.", "  ")]
    scorer = IFD(models=({"model": str(small_model), "batch_tokens": 300},), keep_harmful=True)
    table = score(rows, scorer, tmp_path)
    lm = LanguageModel(ModelSpec(model=str(small_model)))

    def loss(before: str, response: str) -> float:
        ids = lm.ids(before + response)
        labels = torch.tensor([ids])
        labels[0, : answer_start(lm, ids, before)] = -100
        with torch.inference_mode():
            return lm.model(torch.tensor([ids]), labels=labels).loss.item()

    for row in (0, 11):
        sample = rows[row]
        asked = f"Instruction: {sample.instruction}\n\nResponse: "
        want = loss(asked, sample.response) / loss("Response: ", sample.response)
        assert table.columns["ifd"].values[row] == pytest.approx(want, abs=1e-4)
    assert np.isnan(table.columns["ifd"].values[-1])
    assert table.columns["ifd"].reasons[-1] == "empty response"


def test_where_the_instruction_hurts_there_is_no_value_unless_it_is_asked_for(
    small_model, tmp_path
):
    """A real small model predicts some answers worse after an instruction from elsewhere."""
    rows = [Sample(f"s{i}", f"Name {i} rivers.", "Because of the water. " * 3) for i in range(9)]
    rows.append(Sample("sum", "What is 3 plus 4?", "7"))
    models = ({"model": str(small_model)},)
    kept = score(rows, IFD(models=models, keep_harmful=True), tmp_path).columns
    dropped = score(rows, IFD(models=models), tmp_path)
    hurts = kept["ifd"].values >= 1
    np.testing.assert_array_equal(hurts, kept["ifd_ppl"].values >= 1)
    assert dropped.report["the_instruction_hurts"] == hurts.sum()
    for name in ("ifd", "ifd_ppl"):
        values = np.where(hurts, np.nan, kept[name].values)
        np.testing.assert_array_equal(dropped.columns[name].values, values)
    for bad, reason, ratio in zip(
        hurts, dropped.columns["ifd"].reasons, kept["ifd"].values, strict=True
    ):
        assert reason == (f"the instruction hurts (ratio {ratio:.4g})" if bad else None)
    assert np.isfinite(dropped.columns["ifd_loss"].values).all()


def test_ifd_takes_one_model(small_model, samples, tmp_path):
    with pytest.raises(InputError, match="one model"):
        score(samples, IFD(), tmp_path)


@pytest.mark.parametrize("scorer", list(SCORERS), ids=lambda s: s.name)
def test_every_scorer_says_where_it_comes_from(scorer):
    assert scorer.name
    assert scorer.title
    assert scorer.source
    assert scorer.__doc__


def test_a_question_of_several_turns_is_read_with_its_speakers(small_model, tmp_path):
    turns = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say one."})
    plain = Sample("a", "System: Be brief.\n\nUser: Say one.", "one")
    asked = Sample("a", "Be brief.\n\nSay one.", "one", turns)
    for scorer in (selectit(small_model), IFD(models=({"model": str(small_model)},))):
        mine, other = (score([s], scorer, tmp_path) for s in (asked, plain))
        for name, column in other.columns.items():
            np.testing.assert_array_equal(mine.columns[name].values, column.values)
    (work,) = SCORERS["direct"](models=({"model": "m", "base_url": "http://127.0.0.1:1"},)).passes()
    assert "Instruction:\nSystem: Be brief.\n\nUser: Say one." in work.messages(asked)[1]["content"]

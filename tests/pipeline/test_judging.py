"""Judges that need no reward model: a base model's likelihoods, and the crowd's own agreement."""

import math

import numpy as np
import pytest

from crowdselect import jobs, pipeline
from crowdselect.errors import InputError
from crowdselect.lm.messages import user
from crowdselect.lm.template import render
from crowdselect.making import JudgingConfig
from crowdselect.pipeline.making import add_agreement, create_judge, likes_name
from crowdselect.selection import agreement
from crowdselect.settings import demo_data

BASE = demo_data() / "models" / "base-0.2m"
FORM = "{question} ="


def mean_log_probability(before: str, answer: str, *, special: bool) -> float:
    """By transformers alone: the mean log-probability of the answer's tokens."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(BASE)
    model = AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.float32).eval()
    coded = tokenizer(before + answer, return_offsets_mapping=True, add_special_tokens=special)
    ids = torch.tensor([coded["input_ids"]])
    with torch.no_grad():
        found = model(ids).logits[0].log_softmax(-1)
    places = [i for i, (_, end) in enumerate(coded["offset_mapping"]) if end > len(before)]
    return float(np.mean([found[i - 1, ids[0, i]].item() for i in places if i]))


@pytest.mark.parametrize("form", [FORM, "chat"])
def test_likelihoods_are_mean_log_probabilities_of_the_answers(ready, crowd, form) -> None:
    from transformers import AutoTokenizer

    name = likes_name("base", form)
    config = JudgingConfig(
        crowd="tiny", name=name, model=str(BASE), kind="likelihood", form=form, limit=3
    )
    path = create_judge(ready, config)
    jobs.run_here(path)
    assert jobs.read(path).state == "done"
    values = pipeline.open_crowd(ready, "tiny").rewards(name).values
    assert np.isnan(values[3:]).all()
    tokenizer = AutoTokenizer.from_pretrained(BASE)
    for row in range(2):
        text, answers = crowd.instruction(row).text, crowd.answers(row)["response"]
        chat = render(tokenizer, (user(text),))
        before = chat if form == "chat" else FORM.replace("{question}", text)
        expected = [mean_log_probability(before, a, special=form != "chat") for a in answers[:2]]
        assert values[row, :2] == pytest.approx(expected, abs=1e-4)
        assert math.isfinite(values[row, 2])


def test_a_form_without_the_question_is_refused_at_once(ready) -> None:
    config = JudgingConfig(
        crowd="tiny", name="likes", model=str(BASE), kind="likelihood", form="Answer:"
    )
    with pytest.raises(InputError, match="where the question goes"):
        create_judge(ready, config)


def test_the_crowd_judges_itself(ready, crowd) -> None:
    told = add_agreement(ready, "tiny")
    assert told["rewards"] == crowd.n * len(crowd.models)
    grown = pipeline.open_crowd(ready, "tiny")
    assert grown.judges == ("strict", "gentle", "agreement")
    rows = [grown.answers(row)["response"].tolist() for row in range(grown.n)]
    np.testing.assert_array_equal(
        grown.rewards("agreement").values, agreement(rows, len(grown.models))
    )
    with pytest.raises(InputError, match="already"):
        add_agreement(ready, "tiny")
    with pytest.raises(InputError, match="lsa cannot"):
        add_agreement(ready, "tiny", "meaning", alike=0.9, encoder="lsa")

"""Few numbers from many texts equal the model's own full forward pass, text by text."""

import numpy as np
import pytest
import torch

from crowdselect.errors import InputError, NotFoundError
from crowdselect.scoring import LanguageModel, ModelSpec
from crowdselect.scoring.language_model import length_batches


@pytest.fixture(scope="module")
def lm(small_model):
    return LanguageModel(ModelSpec(model=str(small_model), batch_tokens=300))


@pytest.fixture(scope="module")
def rows(lm, samples):
    return [lm.ids(f"{s.instruction}\n{s.response}") for s in samples]


def test_next_token_probabilities_equal_one_text_at_a_time(lm, rows):
    wanted = [5, 17, 99]
    got = lm.next_token_probabilities(rows, wanted)
    for row, ids in enumerate(rows):
        with torch.inference_mode():
            logits = lm.model(torch.tensor([ids])).logits[0, -1]
        want = torch.softmax(logits.double(), -1)[wanted].numpy()
        np.testing.assert_allclose(got[row], want, atol=1e-6)


def test_losses_equal_the_models_own(lm, rows):
    starts = [len(ids) // 2 for ids in rows]
    got = lm.losses(rows, starts)
    for row, ids in enumerate(rows):
        labels = torch.tensor([ids])
        labels[0, : starts[row]] = -100
        with torch.inference_mode():
            want = lm.model(torch.tensor([ids]), labels=labels).loss.item()
        assert got.mean[row] == pytest.approx(want, abs=1e-5)
        assert got.tokens[row] == len(ids) - starts[row]


def test_nothing_to_score_is_nan(lm):
    got = lm.losses([[5], [5, 6]], [0, 0])
    assert np.isnan(got.mean[0])
    assert got.tokens.tolist() == [0, 1]


def test_soft_capping_and_scaling_are_those_of_the_model(tmp_path):
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(0)
    config = Gemma2Config(
        vocab_size=60,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        final_logit_softcapping=2.0,
        initializer_range=0.5,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    Gemma2ForCausalLM(config).save_pretrained(tmp_path)
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({f"w{i}": i for i in range(60)}, unk_token="w0"))
    PreTrainedTokenizerFast(tokenizer_object=words).save_pretrained(tmp_path)
    lm = LanguageModel(ModelSpec(model=str(tmp_path)))
    ids = [3, 9, 27, 4]
    with torch.inference_mode():
        want = torch.softmax(lm.model(torch.tensor([ids])).logits[0, -1], -1)[:5].numpy()
    np.testing.assert_allclose(lm.next_token_probabilities([ids], range(5))[0], want, atol=1e-6)


def test_batches_keep_to_the_budget_and_hold_every_row():
    lengths = [5, 300, 17, 17, 90, 1, 60]
    batches = list(length_batches(lengths, 120))
    assert sorted(i for batch in batches for i in batch) == list(range(7))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= 120


def test_a_model_that_is_not_there(tmp_path):
    with pytest.raises(NotFoundError, match="cannot be loaded"):
        LanguageModel(ModelSpec(model=str(tmp_path / "none")))


def test_an_unknown_dtype(small_model):
    with pytest.raises(InputError, match="no dtype"):
        LanguageModel(ModelSpec(model=str(small_model), dtype="float7"))

"""Few numbers from many texts equal the model's own full forward pass, text by text."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.errors import InputError, NotFoundError
from crowdselect.lm.batches import length_batches
from crowdselect.lm.language_model import shared_start
from crowdselect.lm.vocabulary import BLOCK, ROWS, VocabularyHead
from crowdselect.scoring import LanguageModel, ModelSpec


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


@pytest.fixture(scope="module")
def capped_model(tmp_path_factory):
    """A Gemma 2 with random weights: capped logits, and a sliding window in every other layer."""
    from tokenizers import Tokenizer, models
    from transformers import Gemma2Config, Gemma2ForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("capped")
    torch.manual_seed(0)
    config = Gemma2Config(
        vocab_size=60,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        sliding_window=4,
        final_logit_softcapping=2.0,
        initializer_range=0.5,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    Gemma2ForCausalLM(config).save_pretrained(folder)
    words = Tokenizer(models.WordLevel({f"w{i}": i for i in range(60)}, unk_token="w0"))
    PreTrainedTokenizerFast(tokenizer_object=words).save_pretrained(folder)
    return folder


def test_soft_capping_and_scaling_are_those_of_the_model(capped_model):
    lm = LanguageModel(ModelSpec(model=str(capped_model)))
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
    with pytest.raises(NotFoundError, match="no model folder"):
        LanguageModel(ModelSpec(model=str(tmp_path / "none")))


def test_a_model_without_a_language_head_is_refused(tmp_path, small_model):
    """transformers would make one up, and score with random numbers."""
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    given = AutoConfig.from_pretrained(small_model, num_labels=1, tie_word_embeddings=False)
    AutoModelForSequenceClassification.from_config(given).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(small_model).save_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"lm_head.weight is not among its weights"):
        LanguageModel(ModelSpec(model=str(tmp_path)))


def test_an_unknown_dtype(small_model):
    with pytest.raises(InputError, match="no dtype"):
        LanguageModel(ModelSpec(model=str(small_model), dtype="float7"))


def test_a_beginning_that_all_rows_share_is_read_once(small_model, rows, monkeypatch):
    lm = LanguageModel(ModelSpec(model=str(small_model), batch_tokens=100))
    start = lm.ids("You are a strict examiner. Grade the response with a number.\n" * 3)
    whole = [[*start, *row] for row in rows]
    shared = shared_start(whole)
    assert shared >= len(start)
    widths = []
    padded = lm._padded

    def watched(batch):
        widths.append(max(map(len, batch)))
        return padded(batch)

    monkeypatch.setattr(lm, "_padded", watched)
    got = lm.next_token_probabilities(whole, [21, 22, 23])
    assert widths[0] == shared
    assert max(widths[1:]) == max(map(len, whole)) - shared
    alone = [lm.next_token_probabilities([row], [21, 22, 23])[0] for row in whole]
    np.testing.assert_allclose(got, alone, atol=1e-6)


def test_a_model_with_a_sliding_window_reads_every_row_whole(capped_model):
    lm = LanguageModel(ModelSpec(model=str(capped_model)))
    whole = [[3, 9, 27, 4, 8, row] for row in range(5, 9)]
    assert shared_start(whole) == 5
    assert lm._remembered(whole[0][:5]) is None
    alone = [lm.next_token_probabilities([row], [1, 2])[0] for row in whole]
    np.testing.assert_allclose(lm.next_token_probabilities(whole, [1, 2]), alone, atol=1e-6)


COMMON = {"vocab_size": 60, "hidden_size": 32, "num_hidden_layers": 2, "initializer_range": 0.3}
HEADS = {**COMMON, "num_attention_heads": 2, "intermediate_size": 64}
ARCHITECTURES = {
    "gpt2": ({"vocab_size": 60, "n_embd": 32, "n_layer": 2, "n_head": 2}, True),
    "gpt_neox": (HEADS, True),
    "qwen3": ({**HEADS, "num_key_value_heads": 1, "head_dim": 16}, True),
    "mistral": ({**HEADS, "num_key_value_heads": 1, "sliding_window": 4}, False),
    "mamba": (COMMON, False),
}
"""Model type -> its options, and whether a beginning can be kept for it."""


@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_any_architecture_gives_the_numbers_of_its_own_forward_pass(kind, tmp_path):
    from tokenizers import Tokenizer, models
    from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

    options, keeps = ARCHITECTURES[kind]
    torch.manual_seed(0)
    made = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **options))
    made.save_pretrained(tmp_path)
    words = Tokenizer(models.WordLevel({f"w{i}": i for i in range(60)}, unk_token="w0"))
    PreTrainedTokenizerFast(tokenizer_object=words).save_pretrained(tmp_path)
    lm = LanguageModel(ModelSpec(model=str(tmp_path)))
    whole = [[3, 9, 27, 4, 8, 11, 12, n, *range(20, 20 + n)] for n in range(5, 9)]
    assert (lm._remembered(whole[0][:7]) is not None) is keeps
    got = lm.next_token_probabilities(whole, [1, 2, 3])
    losses = lm.losses(whole, [3] * len(whole)).mean
    for row, ids in enumerate(whole):
        labels = torch.tensor([[-100] * 3 + ids[3:]])
        with torch.inference_mode():
            out = lm.model(torch.tensor([ids]), labels=labels)
        want = torch.softmax(out.logits[0, -1], -1)[[1, 2, 3]].numpy()
        np.testing.assert_allclose(got[row], want, atol=1e-6)
        assert losses[row] == pytest.approx(out.loss.item(), abs=1e-5)


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=12), min_size=1, max_size=6))
def test_what_is_shared_is_shared_and_leaves_a_token_to_every_row(rows):
    shared = shared_start(rows)
    assert 0 <= shared < min(map(len, rows))
    assert len({tuple(row[:shared]) for row in rows}) == 1
    if shared and all(len(row) > shared + 1 for row in rows):
        assert len({row[shared] for row in rows}) > 1, "more is shared"


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_log_probabilities_equal_those_of_all_logits(small_model, dtype):
    """Also where the vocabulary is no multiple of a block, and positions no multiple of a chunk."""
    lm = LanguageModel(ModelSpec(model=str(small_model), dtype=dtype))
    width = lm.model.config.hidden_size
    torch.manual_seed(0)
    hidden = torch.randn(ROWS + 7, width).to(lm.model.dtype) * 3
    tokens = torch.randint(0, lm.model.config.vocab_size, (ROWS + 7, 3))
    with torch.inference_mode():
        logits = lm.model.get_output_embeddings()(hidden).float()
        want = torch.log_softmax(logits, -1).gather(1, tokens)
        got = VocabularyHead(lm.model).log_probabilities(hidden, tokens)
    assert lm.model.config.vocab_size % BLOCK
    np.testing.assert_allclose(got.numpy(), want.numpy(), atol=2e-5)
    assert VocabularyHead(lm.model).log_probabilities(hidden[:0], tokens[:0]).shape == (0, 3)


def test_mean_hidden_states_leave_the_padding_out(lm, rows):
    got = lm.mean_hidden(rows)
    for row in (0, 6, 22):
        with torch.inference_mode():
            states = lm.model.base_model(torch.tensor([rows[row]])).last_hidden_state[0]
        np.testing.assert_allclose(got[row], states.double().mean(0).numpy(), atol=1e-5)

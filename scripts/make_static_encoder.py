"""Make the vectors of the encoder ``static`` from MiniLM, and say how near its map comes.

    python scripts/make_static_encoder.py

Takes the extra ``embed``, about a minute of CPU, and writes crowdselect/landscape/static_tokens.npz
(6.6 MB). Every word piece of all-MiniLM-L6-v2 is read by the model alone, between its two marks;
the mean of its states is the piece's vector, of which the 256 main components are kept, rounded to
whole numbers from -127 to 127 with a factor per row. That is the distillation of model2vec 0.10
without its weights by rank: the encoder weighs words by the texts at hand.
"""

from __future__ import annotations

import importlib.resources

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.decomposition import PCA

from crowdselect.landscape import encoder_named
from crowdselect.landscape.sentence_model import BUNDLED
from crowdselect.landscape.static import TOKENS
from crowdselect.settings import demo_data

DIMENSIONS = 256
NEAREST = 10


def piece_vectors() -> tuple[list[str], npt.NDArray[np.float32]]:
    """Every word piece and what MiniLM makes of it alone, shape (n, 384)."""
    import torch
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(importlib.resources.files(BUNDLED) / "model"), device="cpu")
    tokenizer, network = model.tokenizer, model[0].auto_model
    special = set(tokenizer.all_special_tokens)
    known = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    kept = [(w, i) for w, i in known if w not in special and not w.startswith("[unused")]
    found = []
    with torch.inference_mode():
        for start in range(0, len(kept), 2048):
            rows = [
                [tokenizer.cls_token_id, i, tokenizer.sep_token_id]
                for _, i in kept[start : start + 2048]
            ]
            ids = torch.tensor(rows)
            states = network(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
            found.append(states.mean(dim=1).numpy())
    return [word for word, _ in kept], np.concatenate(found)


def write(words: list[str], vectors: npt.NDArray[np.float32]) -> None:
    """The main components as small whole numbers."""
    main = PCA(DIMENSIONS, svd_solver="full").fit_transform(vectors)
    factors = (np.abs(main).max(axis=1) / 127).astype(np.float16)
    whole = np.clip(np.round(main / factors[:, None].astype(np.float32)), -127, 127)
    names = np.frombuffer("\n".join(words).encode("utf-8"), np.uint8)
    np.savez_compressed(TOKENS, tokens=names, vectors=whole.astype(np.int8), factors=factors)


def shared_neighbours(texts: list[str], first: str, second: str) -> float:
    """Mean share of a text's ten nearest that two encoders agree on."""
    nearest = []
    for name in (first, second):
        rows = encoder_named(name)(texts)
        alike = rows @ rows.T
        np.fill_diagonal(alike, -2)
        nearest.append(np.argpartition(-alike, NEAREST, axis=1)[:, :NEAREST])
    pairs = zip(*nearest, strict=True)
    return float(np.mean([len(set(a) & set(b)) / NEAREST for a, b in pairs]))


def main() -> None:
    """Write the file and print its size and its nearness to MiniLM on the demo crowd."""
    write(*piece_vectors())
    print(f"{TOKENS.name}: {TOKENS.stat().st_size / 1e6:.1f} MB")
    texts = pd.read_parquet(demo_data() / "crowd" / "instructions.parquet")["instruction"]
    some = texts.tolist()[:2000]
    for name in ("static", "lsa"):
        share = shared_neighbours(some, name, "minilm")
        print(f"{name}: {share:.3f} of the ten nearest are MiniLM's")


if __name__ == "__main__":
    main()

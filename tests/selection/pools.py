"""Small pools for the tests of selection, and the selection written the slow, obvious way."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from crowdselect.landscape.encoder import unit_rows
from crowdselect.selection import MetricTable, Pool, Targets, Without
from crowdselect.values import Scores

NAMES = ("difficulty", "separability", "stability")


def table(columns, ids=None, **kwargs) -> MetricTable:
    columns = {k: np.asarray(v, dtype=np.float64) for k, v in columns.items()}
    n = len(next(iter(columns.values())))
    ids = [f"id-{i}" for i in range(n)] if ids is None else ids
    return MetricTable(Scores(np.array(ids, dtype=object), columns), **kwargs)


def random_pool(n: int = 60, seed: int = 0, **kwargs) -> Pool:
    """A pool with every metric that a strategy asks for, ties, missing values and clusters."""
    rng = np.random.default_rng(seed)
    columns = {name: np.round(rng.normal(size=n), 1) for name in NAMES}
    columns["stability"][rng.random(n) < 0.1] = np.nan
    for name in (
        "length:instruction:tokens",
        "length:instruction:words",
        "best_reward",
        "min_reward",
    ):
        columns[name] = rng.integers(0, 20, n).astype(float)
    parts = (("model", "m2"), ("judge", "a"), ("model", "m1"))
    moved = [{c: np.round(v + rng.normal(size=n), 1) for c, v in columns.items()} for _ in parts]
    examples = unit_rows(np.random.default_rng(99).normal(size=(4, 8)))
    defaults = {
        "table": table(columns),
        "weights": {"difficulty": 1.0, "separability": -0.5, "stability": 2.0},
        "budget": 12,
        "clusters": rng.choice([-1, 0, 1, 2, 5], n, p=[0.1, 0.5, 0.2, 0.15, 0.05]),
        "vectors": unit_rows(rng.normal(size=(n, 8))),
        "targets": Targets(examples, ("a", "a", "b", "b")),
        "without": [
            Without(kind, name, table(each))
            for (kind, name), each in zip(parts, moved, strict=True)
        ],
        "tags": [[f"tag{t}" for t in rng.integers(0, 9, rng.integers(0, 5))] for _ in range(n)],
    }
    return Pool(**{**defaults, **kwargs})


def shuffled_pool(pool: Pool, rows) -> Pool:
    """The same pool with its rows, and its parts, in another order."""

    def moved(given: MetricTable) -> MetricTable:
        columns = {name: given.raw(name)[rows] for name in given.names}
        return table(columns, given.ids[rows].tolist())

    places = {name: np.flatnonzero(np.isin(rows, getattr(pool, name))) for name in ("pins", "bans")}
    return replace(
        pool,
        table=moved(pool.table),
        without=[replace(part, table=moved(part.table)) for part in pool.without][::-1],
        clusters=pool.clusters[rows],
        vectors=pool.vectors[rows],
        tags=[pool.tags[i] for i in rows],
        **places,
    )


@st.composite
def pools(draw):
    """Pools with few distinct values, so that ties, cuts and missing values are common."""
    n = draw(st.integers(1, 40))
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    columns = {}
    for name in NAMES:
        values = rng.integers(0, draw(st.integers(1, 12)), n).astype(float)
        values[rng.random(n) < draw(st.sampled_from([0.0, 0.2]))] = np.nan
        columns[name] = values
    weight = st.sampled_from([-1.0, 0.0, 0.1, 0.3, 1.0, 2.0])
    weights = {name: draw(weight) for name in NAMES}
    if not any(weights.values()):
        weights["difficulty"] = 1.0
    clusters = rng.integers(-1, draw(st.integers(0, 6)), n) if draw(st.booleans()) else None
    groups = rng.integers(-1, 15, n) if draw(st.booleans()) else None
    rows = rng.permutation(n)
    pins = rows[: draw(st.integers(0, 3))]
    bans = rows[len(pins) : len(pins) + draw(st.integers(0, 5))]
    return Pool(
        table=table(columns, impute_missing=draw(st.booleans())),
        weights=weights,
        budget=draw(st.integers(len(pins), 50)),
        seed=seed,
        clusters=clusters,
        excluded={"filters": rng.random(n) < draw(st.sampled_from([0.0, 0.3]))},
        pins=np.sort(pins),
        bans=bans,
        groups=groups,
    )


def obvious_selection(pool: Pool) -> list[int]:
    """Equal quotas with water-filling, unit by unit, on Python lists."""
    n = len(pool)
    keys = [int(k) for k in pool.table.keys(pool.seed)]
    names = sorted(name for name, w in pool.weights.items() if w)
    score = []
    for i in range(n):
        total = pool.weights[names[0]] * pool.table.normalised(names[0])[i]
        for name in names[1:]:
            total += pool.weights[name] * pool.table.normalised(name)[i]
        score.append(np.nan if np.isnan(total) else float(np.round(total, 12)) + 0.0)
    pins = set(pool.pins.tolist())
    out = set(pool.bans.tolist()) | set(np.flatnonzero(pool.excluded["filters"]).tolist())
    racing = [i for i in range(n) if i not in out | pins and not np.isnan(score[i])]
    racing.sort(key=lambda i: (-score[i], keys[i]))
    seen = set() if pool.groups is None else {int(pool.groups[i]) for i in pins} - {-1}
    alive = []
    for i in racing:
        group = -1 if pool.groups is None else int(pool.groups[i])
        if group == -1 or group not in seen:
            alive.append(i)
            seen.add(group)
    label = [0] * n if pool.clusters is None else [int(c) for c in pool.clusters]
    # The unclustered bucket (-1) comes after the clusters.
    place = {c: c if c >= 0 else 10**6 for c in set(label)}
    waiting = {c: [i for i in alive if label[i] == c] for c in set(label)}
    chosen = {c: [i for i in pins if label[i] == c] for c in set(label)}
    for _ in range(pool.budget - len(pins)):
        open_ = [c for c in waiting if waiting[c]]
        if not open_:
            break
        best = min(open_, key=lambda c: (len(chosen[c]), -score[waiting[c][0]], place[c]))
        chosen[best].append(waiting[best].pop(0))
    rows = [i for c in chosen for i in chosen[c]]
    return sorted(rows, key=lambda i: (np.isnan(score[i]), -np.nan_to_num(score[i]), keys[i]))

"""What a cluster's card shows."""

import numpy as np

from crowdselect.dashboard.map.cards import SHOWN, _card
from crowdselect.values import Clustering


def test_the_hardest_of_a_cluster_are_those_with_the_highest_difficulty() -> None:
    labels = np.array([0, 1, 0, 0, 1, 0, 0, 0])
    ids = np.array([f"i{i}" for i in range(8)], dtype=object)
    difficulty = np.array([0.1, 99.0, np.nan, 3.0, 98.0, 2.0, 2.0, -5.0])
    found = Clustering(ids, labels, ("bread", "stars"), "lsa", 42, 1.0, "")
    card = _card(found, 0, {"difficulty": difficulty}, np.array([6, 0, 3, 5, 7, 2]), 8)
    assert card.hardest == (3, 5, 6, 0, 7, 2)[:SHOWN]
    assert card.typical == (6, 0, 3, 5, 7, 2)[:SHOWN]
    assert (card.label, card.name, card.size, card.share) == (0, "bread", 6, 0.75)
    assert card.means["difficulty"] == np.nanmean(difficulty[labels == 0])

"""Clusters and their names are made once, whoever asks for them."""

import errno
import os
import sys

import numpy as np
import pytest

from crowdselect import files, pipeline
from crowdselect.landscape import ClusterLabels
from crowdselect.pipeline import Session
from crowdselect.pipeline.cache import Memo


@pytest.mark.parametrize("method", ["fast", "exact"])
def test_a_session_and_the_pipeline_share_one_clustering(crowd, recipe, method):
    session = Session(crowd)
    found = session.clustering(recipe(clusters=4, clustering=method))
    assert pipeline.clustering(crowd, "lsa", 4, method) is found
    assert Session(crowd).clustering(recipe(clusters=4, clustering=method)) is found


def test_nothing_is_made_twice_where_the_disk_is_full(crowd, recipe, monkeypatch):
    def full(_path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "write_aside", full)
    found = pipeline.clustering(crowd, "lsa", 5, "exact")
    assert found.k == 5
    assert Session(crowd).clustering(recipe(clusters=5, clustering="exact")) is found


def test_the_words_are_counted_once_per_crowd(crowd, monkeypatch):
    """What was counted is kept beside the crowd, and names the same clusters alike."""
    labels = pipeline.clustering(crowd, "lsa", 3).labels
    # Another test's crowd may have the same texts.
    monkeypatch.setattr(sys.modules["crowdselect.pipeline.landscape"], "_LABELS", Memo(1))
    names = pipeline.cluster_labels(crowd).names(labels)
    (kept,) = (crowd.cache / "words").glob("*.npz")
    with np.load(kept, allow_pickle=False) as arrays:
        assert ClusterLabels.from_arrays(arrays).names(labels) == names
    assert ClusterLabels(crowd.instruction_texts()).names(labels) == names

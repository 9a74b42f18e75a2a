"""Edited clusters: the same in Python and on the command line, part of the recipe, kept with it."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from crowdselect import pipeline
from crowdselect.cli import main
from crowdselect.errors import InputError
from crowdselect.values import Recipe

EDITS = ("merge 1 2", "rename 1 to Everything else", "split 0 into 2", "weight 1 at 0.5")


def test_edits_make_other_clusters_and_keep_the_names_that_people_know(crowd, recipe):
    plain = pipeline.clustering_of(crowd, recipe())
    found = pipeline.clustering_of(crowd, recipe(cluster_edits=EDITS))
    assert found.k == 3
    assert found.names[1] == "Everything else"
    assert len(set(found.names)) == 3
    assert np.array_equal(found.labels == 1, plain.labels >= 1)
    assert set(np.unique(found.labels[plain.labels == 0])) == {0, 2}


def test_a_weight_a_cap_and_an_exclusion_decide_how_many_are_taken(crowd, recipe):
    def taken(*edits: str, **fields: object) -> Counter[int]:
        chosen = pipeline.select(crowd, recipe(cluster_edits=edits, **fields))
        return Counter(chosen.clusters.tolist())

    assert taken("weight 0 at 2", "weight 2 at 0") == {0: 8, 1: 4}
    assert taken("cap 1 at 1")[1] == 1
    assert sum(taken("cap 1 at 1").values()) == 12
    assert 0 not in taken("exclude 0")
    excluded = pipeline.clustering_of(crowd, recipe()).labels == 0
    chosen = pipeline.select(crowd, recipe(cluster_edits=("exclude 0",), strategy="random"))
    assert not excluded[crowd.rows(chosen.ids)].any()
    assert chosen.report["excluded"]["excluded cluster"] == excluded.sum()


def test_edits_are_part_of_the_recipe_and_of_nothing_without_them(ready, crowd, recipe):
    assert "cluster_edits" not in recipe().to_toml()
    wanted = recipe(cluster_edits=EDITS)
    assert wanted.id != recipe().id
    assert Recipe.from_toml(wanted.to_toml()) == wanted
    saved = pipeline.save_selection(ready, pipeline.select(crowd, wanted), "edited")
    plain = pipeline.save_selection(ready, pipeline.select(crowd, recipe()), "plain")
    compared = pipeline.compare(ready, (saved.id, plain.id))
    assert compared.recipe["cluster_edits"] == (list(EDITS), None)
    assert [each["name"] for each in compared.clusters][1] == "Everything else"


def test_the_command_line_takes_the_same_lines(ready, crowd, recipe, capsys):
    options = ["--encoder", "lsa", "--clusters", "3", "--budget", "12", "--json", "--no-save"]
    lines = [part for edit in EDITS for part in ("--cluster-edit", edit)]
    assert main(["select", "tiny", *options, *lines, "--workspace", str(ready.root)]) == 0
    told = json.loads(capsys.readouterr().out)
    wanted = recipe(cluster_edits=EDITS)
    assert told["recipe_id"] == wanted.id
    assert [row["id"] for row in told["selected"]] == pipeline.select(crowd, wanted).ids.tolist()
    wrong = ["--cluster-edit", "merge 1", "--workspace", str(ready.root)]
    assert main(["select", "tiny", *options, *wrong]) != 0
    assert "no edit of clusters" in capsys.readouterr().err


def test_an_edit_of_a_cluster_that_is_not_there_is_refused(crowd, recipe):
    with pytest.raises(InputError, match="names the cluster 3, and there are 0 to 2"):
        pipeline.select(crowd, recipe(cluster_edits=("exclude 3",)))

"""Names of clusters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdselect.landscape import ClusterLabels
from crowdselect.landscape.label import class_tf_idf
from crowdselect.landscape.words import words

SQL = ["Write a SQL query over the orders table", "Which SQL query joins a table?"] * 5
POEM = ["Write a poem about the sea", "Give me a short poem on the sea and wind"] * 5
TAX = ["How is income tax computed?", "Explain the income tax of Denmark"] * 5


def named(texts, labels, n_terms=3):
    return ClusterLabels(texts).names(labels, n_terms)


def test_a_name_says_what_sets_the_cluster_apart() -> None:
    labels = np.repeat([0, 1, 2], 10)
    names = named(SQL + POEM + TAX, labels, n_terms=2)
    assert [set(name.split(" · ")) for name in names] == [
        {"query", "sql"}, {"poem", "sea"}, {"income", "tax"},
    ]  # fmt: skip


def test_class_tf_idf_by_hand() -> None:
    counts = np.array([[4.0, 0.0, 1.0], [0.0, 3.0, 2.0]])
    average = 5.0
    rarity = np.log1p((average - np.array([4.0, 3.0, 3.0]) + 0.5) / np.array([4.5, 3.5, 3.5]))
    np.testing.assert_allclose(class_tf_idf(counts), counts / 5 * rarity)


def test_rows_without_a_cluster_have_no_say() -> None:
    labels = np.repeat([0, -1, 1], 10)
    names = named(SQL + POEM + TAX, labels, n_terms=5)
    assert len(names) == 2
    assert "poem" not in " ".join(names)


def test_other_scripts_and_languages_get_names() -> None:
    sea = ["写一首关于大海的诗", "描述大海的颜色", "为什么大海是蓝的"] * 20
    names = named([*sea, *["Schreibe ein Gedicht"] * 60], np.repeat([0, 1], 60))
    assert names[0].startswith("大海 · ")
    assert "gedicht" in names[1]


@pytest.mark.parametrize("text", ["", "the of and", "12 34", "?!"])
def test_texts_without_words_give_numbered_names(text: str) -> None:
    names = named([text] * 4, np.array([0, 0, 1, 2]))
    assert names == ("cluster 0", "cluster 1", "cluster 2")
    assert named([], np.array([], int)) == ()


def test_a_blob_names_no_cluster() -> None:
    blob = "QmFzZTY0" * 500
    texts = [f"decode archive header {blob}"] * 4 + ["river lake sea"] * 4 + [blob] * 3
    names = named(texts, np.repeat([0, 1, 2], [4, 4, 3]))
    assert names == ("archive · decode · header", "lake · river · sea", "cluster 2")


def test_inflections_do_not_fill_a_name() -> None:
    texts = ["number numbers primes prime divisor divisors"] * 3 + ["rivers river lake lakes"] * 3
    names = named(texts, np.repeat([0, 1], 3), n_terms=3)
    assert len({word[:4] for word in names[0].split(" · ")}) == 3


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from([*SQL[:2], *POEM[:2], *TAX[:2], "", "云"]), min_size=1, max_size=30),
    st.data(),
)
def test_names_are_unique_and_repeatable(texts: list[str], data) -> None:
    found = data.draw(st.lists(st.integers(-1, 5), min_size=len(texts), max_size=len(texts)))
    labels = np.array(found)
    names = named(texts, labels)
    assert len(names) == labels.max() + 1
    assert len(set(names)) == len(names)
    assert all(names)
    assert names == named(list(texts), labels.copy())
    counted = ClusterLabels(texts)
    assert names == ClusterLabels.from_arrays(counted.arrays()).names(labels)


def test_words_fold_case_and_width() -> None:
    assert words("Don’t SHOUT: ＡＢＣ x_1") == ["don't", "shout", "abc", "x", "1"]
    assert words("ok 大海的诗 海") == ["ok", "大海", "海的", "的诗", "海"]

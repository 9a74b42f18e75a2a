"""Lengths counted on bytes are those that Python counts on characters."""

import re

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.store.lengths import TOKEN_PATTERN, WORD_PATTERN, count_lengths

MIXED = st.text(
    st.sampled_from("ab9_ .,!\n\t\réñ漢字ペ한ß😀\u00a0\u3000\ud7a3\ue000\uffff"), max_size=40
)


@given(st.lists(st.one_of(st.text(max_size=60), MIXED), max_size=30))
def test_chars_words_and_tokens_equal_the_documented_patterns(texts: list[str]):
    counted = count_lengths(pa.array(texts, pa.string())).to_pylist()
    assert counted == [
        {
            "chars": len(text),
            "words": len(re.findall(WORD_PATTERN, text)),
            "tokens": len(re.findall(TOKEN_PATTERN, text)),
        }
        for text in texts
    ]


def test_texts_do_not_run_into_each_other():
    counted = count_lengths(pa.array(["ab", "cd", "", None, "e f"]))
    assert [c["words"] for c in counted.to_pylist()] == [1, 1, 0, 0, 2]


def test_a_slice_of_an_array_and_a_text_longer_than_a_block():
    long = "word " * 200_000
    array = pa.array(["skip me", long, "one two"])[1:]
    assert [c["words"] for c in count_lengths(array).to_pylist()] == [200_000, 2]


def test_sentence_counts_are_what_a_person_counts():
    (counted,) = count_lengths(pa.array(["Hello, world! It's 3 o'clock."])).to_pylist()
    # Hello , world ! It ' s 3 o ' clock .
    assert counted == {"chars": 29, "words": 5, "tokens": 12}

"""The terms that the report's details use, in a sentence each."""

from __future__ import annotations

from collections.abc import Iterable

TERMS = {
    "95 % interval": "where the true value lies with 95 % certainty, given how few questions and "
    "trainings there were",
    "Baseline": "a simple way of choosing that a clever one has to beat: by chance, the longest "
    "answers, the best-rewarded answers",
    "Cluster": "a group of instructions about alike things, found by a computer; its name is the "
    "words that tell it apart",
    "Crowd": "the models whose answers to the same instructions are compared",
    "Difficulty": "how badly the crowd answers an instruction; high: hard",
    "Encoder": "what turns an instruction into numbers, so that alike ones are close",
    "Holm": "a correction: who compares many things finds something by chance, so each finding has "
    "to be clearer",
    "Jaccard": "how much two selections share: what is in both, divided by what is in either",
    "Judge": "what grades an answer: a model of rewards, or a language model that is asked",
    "p =": "how often chance alone would make a difference as large as the one found",
    "Recipe": "everything that decides what is chosen; the same recipe gives the same instructions",
    "Reward": "the grade that a judge gives to an answer",
    "Seed": "the number that a random choice starts from; another seed is another draw",
    "Separability": "how far the grades of the answers to one instruction lie apart",
    "Stability": "how reliably larger models of a family answer an instruction better",
    "Tie": "equal scores, where something else than the score has to decide",
}
"""Term -> meaning, in the order of the alphabet; a term is shown where the report says it."""


def glossary(texts: Iterable[str]) -> list[tuple[str, str]]:
    """The terms that occur in ``texts``, each with its meaning."""
    said = "\n".join(texts).casefold()
    return [(term, meaning) for term, meaning in TERMS.items() if term.casefold() in said]

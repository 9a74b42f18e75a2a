"""Which tokens a tokenizer writes rating digits with."""

from __future__ import annotations

from crowdselect.errors import InputError
from crowdselect.lm.language_model import LanguageModel


def digit_tokens(lm: LanguageModel, text: str, n_levels: int, joined: str = "") -> list[int]:
    """Token ids of "1" .. "K" as they would follow ``text`` (and ``joined``, which the
    tokenizer writes together with the digit), for this tokenizer.

    Raises InputError if a digit is not exactly one token there: its probability could not be read
    off one position.
    """
    before = lm.ids(text)
    if before and before[-1] == lm.tokenizer.eos_token_id:
        before = before[:-1]
    found = []
    for level in range(1, n_levels + 1):
        after = lm.ids(text + joined + str(level))
        if len(after) < len(before) + 1 or after[: len(before)] != before:
            after = []
        token = after[len(before)] if after else None
        if token is None or lm.tokenizer.decode([token]).strip() != str(level):
            raise InputError(
                f"The tokenizer of {lm.spec.model} does not write the rating {level} as one token "
                f"after {text[-12:]!r}.",
                "Use fewer levels (at most 9), or another model.",
            )
        found.append(token)
    if len(set(found)) != n_levels:
        raise InputError(
            f"The tokenizer of {lm.spec.model} writes two ratings as the same token.",
            "Use another model.",
        )
    return found

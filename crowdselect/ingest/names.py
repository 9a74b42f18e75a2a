"""The names that people give to columns, and what they mean; capital letters do not count."""

from __future__ import annotations

import re

from crowdselect.lm.conversations import HISTORIES as HISTORIES
from crowdselect.lm.conversations import INPUTS as INPUTS
from crowdselect.lm.conversations import SYSTEMS as SYSTEMS
from crowdselect.lm.conversations import TALKS

IDS = (
    "id", "uuid", "instruction_id", "prompt_id", "question_id", "conversation_id", "example_id",
    "custom_id", "key",
)  # fmt: skip
TEXTS = ("instruction", "prompt", "question", "query", "input", "user_prompt", "problem")
CONVERSATIONS = TALKS
MODELS = ("model", "generator", "model_name", "model_id", "llm")
RESPONSES = ("response", "output", "answer", "completion", "content", "generation", "text", "reply")
JUDGES = ("reward", "score", "rating", "judge_score", "preference", "win_rate", "win_probability")

TRUTHS = frozenset(
    """
    correct is_correct passed pass success solved resolved verified verifier acc accuracy
    exact_match win wins accepted
    """.split()  # noqa: SIM905 - far easier to read and to add to
)
"""True and false under these names judge an answer."""

NOT_JUDGES = frozenset(
    """
    level turn turns index rank row position seed temperature top_p length chars words tokens
    n_tokens num_tokens token_count input_tokens output_tokens prompt_tokens completion_tokens
    latency cost time timestamp created year size size_b params difficulty category kind cluster
    label split fold reference target expected gold solution ground_truth n_choices
    sample samples sample_idx sample_index sample_number idx run trial try attempt replicate
    repeat repetition repeats epoch step line lineno line_number number num no count worker
    annotator rater user labeler labeller annotator_count num_ratings n_ratings
    task page batch shard
    part chunk age version round iteration iter created_at tstamp date month day hour
    """.split()  # noqa: SIM905 - far easier to read and to add to
)
"""Numbers under these names describe the instruction, the call or a person, and are no reward."""

_IDENTIFIER = re.compile(r"(.*[_\- .])?(id|ids|idx|uid|uuid|index|num|nr|no|number|count)", re.I)
"""``worker_id``, ``sample idx``, ``row_number``: a number that names or counts something."""

_INDEX = re.compile(
    r"|unnamed: ?\d+([._]\w+)?|__index_level_\d+__|level_\d+|index|row|idx|row_id|"
    r"row_?(num|number|index|idx)|row_?names?|rownum|\.\.\.\d+|column ?1|_c0",
    re.IGNORECASE,
)
"""What the row numbers of pandas, R, Spark and people are called; also no name at all."""

NOT_MODELS = frozenset(
    """
    reference references gold golden correct incorrect expected target ground_truth true best worst
    mean average avg overall total sum max maximum min minimum std stdev var variance median input
    output final judge critique reward score rating human raw original chosen rejected winner loser
    num n number of count the
    """.split()  # noqa: SIM905
)
"""``reference_answer``, ``mean_reward``: columns named like MODEL_answer that are no model's."""

_MODEL_LIKE = re.compile(r"(?<![0-9a-z.])\d+(\.\d+)?[bm](?![0-9a-z])|/", re.IGNORECASE)


def is_index_name(name: str) -> bool:
    """Tell whether row numbers are usually called so."""
    return _INDEX.fullmatch(name.strip()) is not None


def is_identifier(name: str) -> bool:
    """Tell whether a number of this name names or counts something, and judges nothing."""
    return name.lower() in NOT_JUDGES or _IDENTIFIER.fullmatch(name.strip()) is not None


def is_model_like(name: str) -> bool:
    """Tell whether a column's name reads like a model's: it has a size or an owner."""
    return _MODEL_LIKE.search(name) is not None

"""Files of other tools that are not read, with the one line that converts each."""

from __future__ import annotations

from collections.abc import Sequence

from crowdselect.errors import InputError

_LM_EVAL = (
    'jq -c \'{id: .doc_id, instruction: (.arguments | if type == "array" then .[0][0] else '
    '.gen_args_0.arg_0 end), model: "NAME", response: .resps[0][0], acc: .acc}\' FILE'
)
_BATCH = (
    "jq -c '{id: .custom_id, model: .response.body.model, "
    "response: .response.body.choices[0].message.content}' FILE"
)


def refuse_logs(columns: Sequence[str], label: str) -> None:
    """Raise InputError for logs of lm-evaluation-harness and for answers of OpenAI's batches."""
    names = set(columns)
    if {"doc", "resps"} <= names:
        raise InputError(
            f"{label} is a log of samples of lm-evaluation-harness, which does not name its model.",
            f"Convert each model's log, and give the files together: {_LM_EVAL} > NAME.jsonl",
        )
    if {"custom_id", "response"} <= names and "model" not in names:
        raise InputError(
            f"{label} is the output of OpenAI's batches, which holds no instructions.",
            f"Convert it: {_BATCH} > answers.jsonl, and give it together with a file of the "
            "instructions (id, instruction).",
        )

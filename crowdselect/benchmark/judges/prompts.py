"""Judge prompts: ours, in our own words, or the official ones from a file of the user's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crowdselect.benchmark.sources import local_file
from crowdselect.errors import InputError
from crowdselect.lm.messages import Message, user
from crowdselect.reading import read_table, read_text

_PLACE = re.compile(r"\{([A-Za-z_0-9]+)\}")
_CHATML = re.compile(r"<\|im_start\|>(system|user)\n(.*?)\n?<\|im_end\|>", re.DOTALL)


LARGEST = 64 << 20
"""The most bytes of a prompt."""


@dataclass(frozen=True)
class Prompt:
    """A system message and a user message with ``{places}``."""

    system: str
    user: str

    def fill(self, values: Mapping[str, str]) -> tuple[Message, ...]:
        """Messages with every place filled; braces inside the values stay as they are.

        Raises InputError for a place that there is no value for.
        """

        def value(found: re.Match[str]) -> str:
            if found[1] not in values:
                raise InputError(
                    f"The judge prompt has a place {{{found[1]}}} that nothing fills.",
                    f"Known places: {', '.join(values)}.",
                )
            return values[found[1]]

        asked = user(_PLACE.sub(value, self.user))
        return ({"role": "system", "content": self.system}, asked) if self.system else (asked,)


def read_named(path: str) -> dict[str, Prompt]:
    """FastChat's ``judge_prompts.jsonl``: name, system_prompt, prompt_template per row."""
    table = read_table(local_file(path))
    found = {}
    for number, row in table:
        for column in ("name", "system_prompt", "prompt_template"):
            if not isinstance(row.get(column), str):
                raise InputError(
                    f"{table.where(number)} lacks {column!r}, or it is no text.",
                    "Rows of a prompt file have name, system_prompt and prompt_template.",
                )
        found[row["name"]] = Prompt(row["system_prompt"], row["prompt_template"])
    return found


def read_single(path: str) -> Prompt:
    """One prompt: Arena-Hard's YAML (system_prompt, prompt_template), JSON, or AlpacaEval's text.

    Raises InputError naming the file and what it lacks.
    """
    file = local_file(path)
    text = read_text(file, limit=LARGEST).text
    if file.suffix in (".yaml", ".yml", ".json"):
        import yaml  # type: ignore[import-untyped]

        try:
            data: Any = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            first = next(iter(str(error).splitlines()), type(error).__name__)
            raise InputError(f"{file} is no YAML: {first}.", "Correct that place.") from error
        data = data if isinstance(data, dict) else {}
        template, system = data.get("prompt_template"), data.get("system_prompt") or ""
        if isinstance(template, list) and all(isinstance(part, str) for part in template):
            template = "\n".join(template)
        if not isinstance(template, str) or not template or not isinstance(system, str):
            raise InputError(
                f"{file} holds no prompt_template that is a text.", "Give a judge configuration."
            )
        return Prompt(system, template)
    parts = dict(_CHATML.findall(text))
    return Prompt(parts.get("system", ""), parts.get("user", text))


_FAIR = (
    "You grade answers of chat assistants. Be strict and fair: what counts is whether the answer "
    "is correct, does what was asked, and helps the person who asked. Length, confidence and style "
    "are worth nothing by themselves."
)
_GRADE = (
    "First say in a few sentences what is good and what is wrong. Then give a grade from 1 "
    '(useless) to 10 (could not be better) on a line of its own in exactly this form: "[[grade]]", '
    'for example "[[4]]".'
)
_REFERENCE = "A correct answer, written by an expert, for you to check against:\n{ref_answer_1}\n\n"
_TALK = (
    "First message:\n{question_1}\n\nFirst answer:\n{answer_1}\n\n"
    "Second message:\n{question_2}\n\nSecond answer (the one to grade):\n{answer_2}\n\n"
)
OWN_SINGLE: Mapping[str, Prompt] = {
    "single-v1": Prompt(_FAIR, "Message:\n{question}\n\nAnswer to grade:\n{answer}\n\n" + _GRADE),
    "single-math-v1": Prompt(
        _FAIR, "Message:\n{question}\n\n" + _REFERENCE + "Answer to grade:\n{answer}\n\n" + _GRADE
    ),
    "single-v1-multi-turn": Prompt(_FAIR, _TALK + _GRADE),
    "single-math-v1-multi-turn": Prompt(
        _FAIR,
        "Correct answers to both messages, written by an expert:\n1. {ref_answer_1}\n"
        "2. {ref_answer_2}\n\n" + _TALK + _GRADE,
    ),
}
"""By FastChat's names and places, so that its file can stand in for them."""

OWN_PAIR = Prompt(
    "You compare the answers of two assistants, A and B, to the same message. Work out first what "
    "a good answer needs. Then check both for mistakes, gaps and padding. Do not let order, "
    "length or tone decide.",
    "Message:\n{question_1}\n\nAnswer of A:\n{answer_1}\n\nAnswer of B:\n{answer_2}\n\n"
    "Explain briefly, then end with exactly one of these verdicts: [[A>>B]] (A is much better), "
    "[[A>B]] (A is a little better), [[A=B]] (equally good), [[B>A]], [[B>>A]].",
)
OWN_CHOICE = Prompt(
    "You say which of two answers a careful person would rather have got.",
    "Message:\n{instruction}\n\nAnswer m:\n{output_1}\n\nAnswer M:\n{output_2}\n\n"
    "Reply with one letter and nothing else: m or M, for the better answer.",
)

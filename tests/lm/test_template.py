"""A model is asked exactly as it was taught: training, benchmarks and rewards see one prompt."""

from copy import deepcopy
from typing import Any

import pytest

from crowdselect.errors import InputError
from crowdselect.finetune.template import chat_format, encode
from crowdselect.lm.conversations import Conversation
from crowdselect.lm.encoding import IGNORED
from crowdselect.lm.messages import Message
from crowdselect.lm.template import render, settled_template, template_name, token_ids
from tests.finetune.conftest import tokenizer

__all__ = ["tokenizer"]

TALK: tuple[Message, ...] = (
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "red blue"},
    {"role": "assistant", "content": "blue red"},
    {"role": "user", "content": "tree\nbird?"},
    {"role": "assistant", "content": "bird\ntree!"},
)
CHATML = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def variant(tokenizer: Any, template: Any, begin: bool) -> Any:
    from tokenizers.processors import TemplateProcessing

    made = deepcopy(tokenizer)
    made.chat_template = template
    if begin:
        made.bos_token = "<|system|>"
        number = made.convert_tokens_to_ids("<|system|>")
        made.backend_tokenizer.post_processor = TemplateProcessing(
            single="<|system|> $A", special_tokens=[("<|system|>", number)]
        )
    return made


@pytest.mark.parametrize("begin", [False, True], ids=["", "begin-token"])
@pytest.mark.parametrize(
    ("own", "choice", "name", "talk"),
    [
        ("own", "auto", "model", TALK),
        (CHATML, "auto", "model", TALK),
        ({"default": CHATML, "tool_use": "{{ messages }}"}, "auto", "model", TALK),
        (None, "auto", "plain", TALK),
        ("own", "plain", "model", TALK),
        (None, "none", "raw", TALK[1:3]),
        ("own", "none", "raw", TALK[1:3]),
    ],
    ids=["own", "chatml", "several", "none-so-plain", "plain", "raw", "raw-despite-its-own"],
)
def test_a_fine_tune_is_asked_as_it_was_trained(
    tokenizer: Any, own: Any, choice: str, name: str, talk: tuple[Message, ...], begin: bool
) -> None:
    made = variant(tokenizer, tokenizer.chat_template if own == "own" else own, begin)
    form = chat_format(made, choice)
    (trained,) = encode(made, form, [Conversation(1, talk)])
    saved = deepcopy(made)
    saved.chat_template = form.kept_template
    whole = token_ids(saved, render(saved, talk, complete=True))
    assert whole[: len(trained.input_ids)] == trained.input_ids
    asked = token_ids(saved, render(saved, talk[:-1]))
    assert trained.input_ids[: len(asked)] == asked
    answer = trained.labels[len(asked) :]
    assert saved.decode([t for t in answer if t != IGNORED]).strip().endswith("<|end|>")
    assert answer[0] != IGNORED, "the answer begins where the prompt ends"
    assert template_name(saved) == ("raw" if choice == "none" else "model")
    # The base, whose template was not changed, is asked alike unless it was taught another way.
    if choice == "auto":
        assert render(made, talk[:-1]) == render(saved, talk[:-1])
        assert template_name(made) == name


def test_raw_text_takes_one_prompt_and_refuses_more_by_name(tokenizer: Any) -> None:
    saved = deepcopy(tokenizer)
    saved.chat_template = chat_format(tokenizer, "none").kept_template
    assert render(saved, TALK[1:2]) == "red blue"
    assert render(saved, TALK[1:3], complete=True) == "red blueblue red<|end|>"
    for talk in (TALK[:2], TALK[1:4]):
        with pytest.raises(InputError, match="raw text is one prompt and its answer"):
            render(saved, talk)


def test_what_a_template_refuses_is_one_sentence(tokenizer: Any) -> None:
    strict = variant(tokenizer, "{{ raise_exception('roles must alternate') }}", False)
    with pytest.raises(InputError, match="refuses a conversation: roles must alternate"):
        render(strict, TALK)
    broken = variant(tokenizer, "{{ messages[0].content.nothing() }}", False)
    with pytest.raises(InputError, match="refuses a conversation"):
        render(broken, TALK)


def test_the_harness_gets_the_same_template(tokenizer: Any) -> None:
    bare = variant(tokenizer, None, True)
    told = deepcopy(bare)
    told.chat_template = settled_template(bare)
    assert render(told, TALK) == render(bare, TALK)
    assert render(bare, TALK[:2]).startswith("<|system|>Be brief.")

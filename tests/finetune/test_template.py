"""Only answers carry loss, whatever the template; the end token is among them."""

from importlib.resources import files as package_files

import pytest

from crowdselect.errors import InputError
from crowdselect.finetune.prepare import load_prepared, prepare, save_prepared
from crowdselect.finetune.template import chat_format, encode, end_of_turn, unused_parts
from crowdselect.lm.conversations import Conversation
from crowdselect.lm.encoding import IGNORED
from tests.crowds import write_jsonl

from .conftest import chat

TURNS = (
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "red blue"},
    {"role": "assistant", "content": "blue red"},
    {"role": "user", "content": "tree\nbird?"},
    {"role": "assistant", "content": "bird\ntree!"},
)
UNMARKED = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture
def with_template(tokenizer):
    """The tokenizer with another template (and ChatML's tokens), put back afterwards."""
    from copy import deepcopy

    def make(template, *tokens):
        made = deepcopy(tokenizer)
        made.add_tokens(list(tokens), special_tokens=True)
        made.chat_template = template
        return made

    return make


def carried(tokenizer, encoded):
    """The runs of tokens that carry loss, as texts."""
    assert len(encoded.input_ids) == len(encoded.labels)
    runs, run = [], []
    for token, label in zip(encoded.input_ids, encoded.labels, strict=True):
        assert label in (IGNORED, token)
        if label == IGNORED:
            runs, run = runs + ([run] if run else []), []
        else:
            run.append(token)
    return [tokenizer.decode(r) for r in [*runs, *([run] if run else [])]]


@pytest.mark.parametrize(
    ("template", "end", "expected"),
    [
        ("own", "<|end|>", [" blue red<|end|>", " bird\ntree!<|end|>"]),
        (UNMARKED, "<|end|>", ["blue red<|end|>", "bird\ntree!<|end|>"]),
        (CHATML, "<|im_end|>", ["blue red<|im_end|>", "bird\ntree!<|im_end|>"]),
        (None, "<|end|>", ["blue red<|end|>", "bird\ntree!<|end|>"]),
    ],
    ids=["marked", "unmarked", "chatml", "none-so-plain"],
)
def test_answers_and_their_end_token_carry_loss_and_nothing_else(
    with_template, tokenizer, template, end, expected
):
    made = tokenizer
    if template != "own":
        made = with_template(template, "<|im_start|>", "<|im_end|>")
    form = chat_format(made, "auto")
    (encoded,) = encode(made, form, [Conversation(1, TURNS)])
    assert carried(made, encoded) == expected
    assert end_of_turn(made, form) == end


@pytest.mark.parametrize(("family", "marked"), [("qwen2_5", False), ("qwen3", True)])
def test_templates_of_known_families(with_template, family, marked):
    """Qwen3 drops the reasoning of earlier turns, so there TRL's marked variant is trained on."""
    template = (package_files("trl") / "chat_templates" / f"{family}.jinja").read_text()
    made = with_template(template, "<|im_start|>", "<|im_end|>", "<think>", "</think>")
    form = chat_format(made, "auto")
    assert form.marked == marked
    assert form.kept_template == template  # what is saved stays the model's own
    (encoded,) = encode(made, form, [Conversation(1, TURNS)])
    first, second = (
        text.replace("<think>\n\n</think>", "").strip() for text in carried(made, encoded)
    )
    assert (first, second) == ("blue red<|im_end|>", "bird\ntree!<|im_end|>")
    assert end_of_turn(made, form) == "<|im_end|>"


def test_a_template_that_rewrites_earlier_turns_trains_the_last_answer_only(with_template):
    forgetful = (
        "{% for m in messages %}<|{{ m.role }}|>"
        "{{ m.content if loop.last or m.role != 'assistant' else '...' }}<|end|>{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    made = with_template(forgetful)
    (encoded,) = encode(made, chat_format(made, "auto"), [Conversation(1, TURNS)])
    assert carried(made, encoded) == ["bird\ntree!<|end|>"]


def test_the_plain_template_begins_with_the_begin_token_of_models_that_have_one(with_template):
    from tokenizers.processors import TemplateProcessing

    made = with_template(None)
    made.bos_token = "<|system|>"
    number = made.convert_tokens_to_ids("<|system|>")
    made.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|system|> $A", special_tokens=[("<|system|>", number)]
    )
    (encoded,) = encode(made, chat_format(made, "auto"), [Conversation(1, TURNS[1:3])])
    text = made.decode(encoded.input_ids)
    assert text == "<|system|>### Instruction:\nred blue\n\n### Response:\nblue red<|end|>"


def test_raw_text_is_prompt_answer_and_end(tokenizer):
    form = chat_format(tokenizer, "none")
    (encoded,) = encode(tokenizer, form, [Conversation(1, TURNS[1:3])])
    assert tokenizer.decode(encoded.input_ids) == "red blueblue red<|end|>"
    assert carried(tokenizer, encoded) == ["blue red<|end|>"]
    with pytest.raises(InputError, match="Row 7"):
        encode(tokenizer, form, [Conversation(7, TURNS)])


def test_a_template_that_refuses_a_conversation_names_the_row(with_template):
    strict = "{{ raise_exception('roles must alternate') }}{% generation %}{% endgeneration %}"
    made = with_template(strict)
    with pytest.raises(InputError, match=r"Row 9.*must alternate"):
        encode(made, chat_format(made, "auto"), [Conversation(9, TURNS)])


def test_a_template_file_is_used_and_a_missing_one_is_named(tokenizer, tmp_path):
    (tmp_path / "mine.jinja").write_text(UNMARKED)
    form = chat_format(tokenizer, str(tmp_path / "mine.jinja"))
    assert (form.source, form.marked) == ("file", False)
    with pytest.raises(InputError, match="nowhere"):
        chat_format(tokenizer, "nowhere.jinja")


def settings(path, **options):
    from crowdselect.finetune import FinetuneConfig

    return FinetuneConfig(data=str(path), model="m", preset="demo", **options)


def test_truncation_and_dropping_are_counted_to_the_token(tokenizer, tmp_path):
    rows = [{"messages": chat(i, turns)} for i, turns in enumerate((1, 1, 4, 1))]
    rows.append({"prompt": "x", "messages": [chat(0)[0] | {"content": "red " * 200}, chat(0)[1]]})
    rows.append({"messages": [chat(0)[0], {"role": "assistant", "content": ""}]})
    path = write_jsonl(tmp_path / "d.jsonl", rows)
    whole = prepare(settings(path), tokenizer)
    cut = prepare(settings(path, max_length=40), tokenizer)
    lengths = [len(ids) for ids in whole.dataset["input_ids"]]
    assert whole.report.dropped == whole.report.truncated == whole.report.tokens_cut == 0
    assert (cut.report.rows, cut.report.empty, cut.report.kept) == (6, 1, 4)
    assert (cut.report.dropped, cut.report.dropped_rows) == (1, (5,))
    assert cut.report.truncated == 1
    assert cut.report.tokens_cut == lengths[2] - 40
    assert cut.report.tokens == sum(cut.lengths) == sum(lengths[i] for i in (0, 1, 3)) + 40
    assert cut.report.longest == 40
    assert any("40" in line or "limit" in line for line in cut.report.lines())
    dropping = prepare(settings(path, max_length=40, overlong="drop"), tokenizer)
    assert (dropping.report.dropped_rows, dropping.report.truncated) == ((3, 5), 0)
    with pytest.raises(InputError, match="No row"):
        prepare(settings(path, max_length=8), tokenizer)


def test_prepared_data_reads_back_as_it_was(tokenizer, data_file, tmp_path):
    made = prepare(settings(data_file), tokenizer)
    save_prepared(made, tmp_path / "prepared")
    again = load_prepared(tmp_path / "prepared")
    assert again.dataset["labels"][:] == made.dataset["labels"][:]
    assert (again.report, again.chat) == (made.report, made.chat)
    assert (again.lengths == made.lengths).all()


TOOLS = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}"
    "{% for c in m.tool_calls or [] %}[{{ c.function.name }} {{ c.function.arguments | tojson }}]"
    "{% endfor %}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
STRICT = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('No system role') }}{% endif %}"
    + UNMARKED
)
CALLING = (
    {"role": "user", "content": "Oslo?"},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Oslo"}}}],
    },
    {"role": "tool", "content": "12"},
    {"role": "assistant", "content": "12 degrees", "reasoning_content": "hm"},
)


def test_calls_are_learned_where_the_template_writes_them_and_else_refused(with_template):
    knows = with_template(TOOLS, "<|end|>")
    chat = chat_format(knows, "auto")
    row = Conversation(3, CALLING)
    (encoded,) = encode(knows, chat, [row])
    assert carried(knows, encoded) == ['[weather {"city": "Oslo"}]<|end|>', "12 degrees<|end|>"]
    assert unused_parts(knows, chat, row) == ("reasoning_content",)
    ignores = with_template(UNMARKED, "<|end|>")
    with pytest.raises(InputError, match="Row 3 calls the tool weather"):
        encode(ignores, chat_format(ignores, "auto"), [row])


@pytest.mark.parametrize("choice", ["auto", "plain"])
def test_answers_of_weight_0_carry_no_loss(with_template, choice):
    tokenizer = with_template(UNMARKED, "<|end|>")
    turns = tuple({**m, "weight": 0.0} if m["content"] == "blue red" else m for m in TURNS)
    (encoded,) = encode(tokenizer, chat_format(tokenizer, choice), [Conversation(1, turns)])
    (only,) = carried(tokenizer, encoded)
    assert only.startswith("bird\ntree!")


def test_a_template_without_system_role_says_what_helps_and_merging_does(with_template):
    tokenizer = with_template(STRICT, "<|end|>")
    row = Conversation(2, TURNS)
    with pytest.raises(InputError, match=r"Row 2.*No system role") as caught:
        encode(tokenizer, chat_format(tokenizer, "auto"), [row])
    assert "--option chat_template=merge-system" in caught.value.remedy
    chat = chat_format(tokenizer, "merge-system")
    text = tokenizer.decode(encode(tokenizer, chat, [row])[0].input_ids)
    assert text.startswith("<|user|>Be brief.\n\nred blue<|end|>")
    assert chat.kept_template == STRICT

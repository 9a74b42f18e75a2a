"""The process that runs lm-evaluation-harness: a JSON file in, documents with values out.

    python -m crowdselect.benchmark.harness_worker GIVEN.json

What goes wrong and can be mended is written as problem and remedy to ``error.json`` beside it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from crowdselect import files
from crowdselect.benchmark.harness import FILTERS
from crowdselect.benchmark.subject import SubjectConfig
from crowdselect.errors import CrowdSelectError, NotFoundError
from crowdselect.lm.models import load_causal
from crowdselect.lm.template import settled_template
from crowdselect.registry import did_you_mean

UNREACHABLE = ("ConnectionError", "OfflineModeIsEnabled", "LocalEntryNotFoundError",
               "DatasetNotFoundError", "ConnectError", "HfHubHTTPError")  # fmt: skip


def main(given_path: Path) -> int:
    """Run one task; return the exit code."""
    given = files.read_json(given_path)
    if given["allow_code"]:
        os.environ["HF_ALLOW_CODE_EVAL"] = "1"
    try:
        records = list(_documents(_evaluate(given)))
    except CrowdSelectError as error:
        return _fail(given_path, error.problem, error.remedy)
    except Exception as error:
        name = _unreachable(error)
        if name:
            return _fail(
                given_path,
                f"The data of {given['task']} cannot be fetched: the hub is unreachable ({name}).",
                "Run it where the hub is reachable, or use a task of your own: harness:file=FILE.",
            )
        raise
    files.write_json(Path(given["out"]), records)
    return 0


def _fail(given_path: Path, problem: str, remedy: str) -> int:
    files.write_json(given_path.parent / "error.json", [problem, remedy])
    return 1


def _unreachable(error: BaseException | None) -> str:
    """The name of the connection error behind ``error``; empty: it is another one."""
    while error is not None:
        if type(error).__name__ in UNREACHABLE:
            return type(error).__name__
        error = error.__cause__ or error.__context__
    return ""


def _evaluate(given: Mapping[str, Any]) -> dict[str, Any]:
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    own = isinstance(given["task"], dict)
    manager = TaskManager(include_defaults=not own)
    if not own and given["task"] not in manager.all_tasks:
        raise NotFoundError(
            f"lm-evaluation-harness has no task {given['task']!r}.",
            did_you_mean(given["task"], manager.all_tasks),
        )
    found = simple_evaluate(
        model=_model(SubjectConfig(**given["subject"]), given["batch_size"]),
        tasks=[given["task"]],
        task_manager=manager,
        num_fewshot=given["fewshot"],
        limit=given["limit"],
        apply_chat_template=True,
        fewshot_as_multiturn=True,
        bootstrap_iters=0,
        log_samples=True,
        confirm_run_unsafe_code=given["allow_code"],
        random_seed=given["seed"],
        numpy_random_seed=given["seed"],
        torch_random_seed=given["seed"],
        fewshot_random_seed=given["seed"],
    )
    return dict(found or {})


def _model(subject: SubjectConfig, batch_size: int) -> Any:
    """The model as the harness wants it; a chat template is always there."""
    if subject.endpoint:
        from lm_eval.models.openai_completions import LocalChatCompletion

        url = subject.endpoint.rstrip("/") + "/chat/completions"
        return LocalChatCompletion(model=subject.model, base_url=url, num_concurrent=8)
    from lm_eval.models.huggingface import HFLM

    loaded = load_causal(subject.checkpoint)
    loaded.tokenizer.chat_template = settled_template(loaded.tokenizer)
    network = loaded.model.merge_and_unload() if subject.adapter else loaded.model
    return HFLM(
        pretrained=network,
        tokenizer=loaded.tokenizer,
        batch_size=batch_size,
        device=loaded.device,
        max_length=min(loaded.context, 32768),
    )


def _documents(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One record per document and filter, numbers as plain floats."""
    for task, samples in found["samples"].items():
        present = list(dict.fromkeys(s["filter"] for s in samples))
        filters = [f for f in FILTERS if f in present] or present
        for sample in samples:
            yield {
                "task": task,
                "doc": int(sample["doc_id"]),
                "filter": sample["filter"],
                "filters": filters,
                "values": {
                    m: float(sample[m]) for m in sample["metrics"] if _is_number(sample.get(m))
                },
                "prompt": _prompt(sample["arguments"]),
                "answer": _answer(sample["filtered_resps"]),
                "target": str(sample["target"]),
            }


def _answer(responses: Any) -> str:
    """What the model wrote; of several choices the one with the highest likelihood."""
    if responses and all(isinstance(r, list | tuple) for r in responses):
        best = max(range(len(responses)), key=lambda i: float(responses[i][0]))
        return f"choice {best}"
    return str(responses[0]) if responses else ""


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _prompt(arguments: Any) -> str:
    """The prompt of a document's first request."""
    first: Any = arguments
    while isinstance(first, dict | list | tuple) and first:
        first = next(iter(first.values())) if isinstance(first, dict) else first[0]
    return str(first)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))

"""LLaMA-Factory: a ShareGPT file and its entry in ``dataset_info.json``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crowdselect.export.base import Example
from crowdselect.export.sharegpt import CALLS, ShareGPT


@dataclass(frozen=True)
class LlamaFactory(ShareGPT):
    """Write into LLaMA-Factory's data folder; then train with ``dataset: NAME``."""

    name = "llamafactory"
    title = "LLaMA-Factory (ShareGPT and dataset_info.json)"

    def dataset_info(self, name: str, examples: Sequence[Example]) -> dict[str, Any]:
        """The entry that maps our keys to theirs; ``file_name`` is relative to their folder."""
        columns = {"messages": "conversations"}
        if any(self.prepared(e).system for e in examples):  # a named column has to exist
            columns["system"] = "system"
        calls = any(e.calls for e in examples)
        if any(e.tools for e in examples):
            columns["tools"] = "tools"
        more = {"observation_tag": "observation", "function_tag": CALLS} if calls else {}
        return {
            "file_name": f"{name}/{self.file}",
            "formatting": "sharegpt",
            "columns": columns,
            "tags": {
                "role_tag": "from",
                "content_tag": "value",
                "user_tag": "human",
                "assistant_tag": "gpt",
                **more,
            },
        }

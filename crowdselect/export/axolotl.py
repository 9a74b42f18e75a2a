"""axolotl: messages, and ``axolotl.yaml`` with the entry of its ``datasets``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from crowdselect.export.messages import Messages

_YAML = """\
# For axolotl: put these lines into your configuration, or add base_model and train with it.
datasets:
  - path: {file}
    ds_type: json
    type: chat_template
    field_messages: messages
    message_property_mappings:
      role: role
      content: content
    roles_to_train:
      - assistant
"""
_TEST = """\
test_datasets:
  - path: {file}
    ds_type: json
    type: chat_template
    field_messages: messages
    split: train
"""


@dataclass(frozen=True)
class Axolotl(Messages):
    """Messages as JSON lines, with the configuration that has axolotl train on the answers."""

    name: ClassVar[str] = "axolotl"
    title: ClassVar[str] = "axolotl (messages and axolotl.yaml)"

    def beside(self, tested: bool) -> Mapping[str, str]:
        """The configuration; run axolotl in the export's folder, or correct the paths."""
        test = _TEST.format(file=self.test_file) if tested else ""
        return {"axolotl.yaml": _YAML.format(file=self.file) + test}

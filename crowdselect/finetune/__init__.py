"""Fine-tuning: files -> a run, on TRL's trainers and PEFT, as a job that can be trusted.

``create(workspace, FinetuneConfig(data=..., model=...))`` makes a run, ``read_run`` follows it,
``output_model`` says where its model is, ``estimate`` tells beforehand what it will take.
"""

from crowdselect.finetune.config import PACKAGES, FinetuneConfig
from crowdselect.finetune.estimation import Estimate, estimate, in_time
from crowdselect.finetune.preferences import PairRule, PreferencePairs, pairs_from_rewards
from crowdselect.finetune.presets import PRESETS, Preset, method_of, preset_options
from crowdselect.finetune.runs import (
    OutputModel,
    RunView,
    create,
    list_runs,
    output_model,
    read_run,
    resume,
)

__all__ = [
    "PACKAGES",
    "PRESETS",
    "Estimate",
    "FinetuneConfig",
    "OutputModel",
    "PairRule",
    "PreferencePairs",
    "Preset",
    "RunView",
    "create",
    "estimate",
    "in_time",
    "list_runs",
    "method_of",
    "output_model",
    "pairs_from_rewards",
    "preset_options",
    "read_run",
    "resume",
]

"""ORPO on the answers alone (arXiv 2403.07691, equations 2 and 6)."""

from __future__ import annotations

from typing import Any

from trl.experimental.orpo import ORPOTrainer


class AnswerORPOTrainer(ORPOTrainer):
    """TRL's trainer with the likelihood term of the paper: per pair, the chosen answer's mean loss.

    TRL takes the mean over all tokens of a micro batch, prompts included: prompts are trained on,
    and long rows weigh more the more rows share a micro batch. Here each pair weighs the same, so a
    step is the same however it is cut.
    """

    def concatenated_forward(self, model: Any, batch: Any) -> Any:
        """As TRL's; the fifth value is the mean over pairs of the chosen answer's loss."""
        found: Any = super().concatenated_forward(model, batch)
        chosen_log_probabilities = found[0]
        return (*found[:4], -chosen_log_probabilities.mean(), *found[5:])

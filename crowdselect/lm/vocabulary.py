"""The vocabulary head of a language model, run only where a number is wanted.

A large vocabulary's logits are many: 512 positions by 152,000 tokens are 0.3 GB. On a CPU they are
therefore made and summed up block by block, in a room of 2 MB that is written anew each time and
stays in the processor's cache; writing them to fresh memory costs as much as the product itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ROWS = 512
"""Positions that go through the head at once."""
BLOCK = 1024
"""Tokens of the vocabulary that go through the head at once on a CPU."""


@dataclass
class VocabularyHead:
    """The output layer of a causal language model, with the model's own scaling and capping."""

    model: Any
    _room: Any = field(init=False, default=None)

    def log_probabilities(self, hidden: Any, tokens: Any) -> Any:
        """Log probabilities of some tokens at each position.

        Parameters
        ----------
        hidden
            Tensor of shape (n, width): last hidden states.
        tokens
            Integer tensor of shape (n, k).

        Returns
        -------
        Float32 tensor of shape (n, k).
        """
        import torch

        if not len(hidden):
            return torch.zeros(tuple(tokens.shape), dtype=torch.float32, device=hidden.device)
        make = self._by_blocks if self._streams(hidden) else self._at_once
        parts = zip(hidden.split(ROWS), tokens.split(ROWS), strict=True)
        return torch.cat([make(h, t) for h, t in parts])

    @property
    def _layer(self) -> Any:
        return self.model.get_output_embeddings()

    def _streams(self, hidden: Any) -> bool:
        """Whether the head is a plain float32 product on a CPU."""
        import torch

        layer = self._layer
        plain = type(layer) is torch.nn.Linear and layer.bias is None
        return plain and hidden.device.type == "cpu" and hidden.dtype == torch.float32

    def _at_once(self, hidden: Any, tokens: Any) -> Any:
        logits = self._finish(self._layer(hidden)).float()
        return logits.gather(1, tokens) - logits.logsumexp(1, keepdim=True)

    def _by_blocks(self, hidden: Any, tokens: Any) -> Any:
        """Sum up ``exp(logit - peak)`` while the peak rises from block to block."""
        import torch

        weight = self._layer.weight
        if self._room is None:
            self._room = torch.empty(ROWS * BLOCK)
        n = len(hidden)
        peak = torch.full((n, 1), -torch.inf)
        total = torch.zeros((n, 1))
        for block in weight.split(BLOCK):
            room = self._room[: n * len(block)].view(n, len(block))
            logits = self._finish(torch.mm(hidden, block.T, out=room))
            higher = torch.maximum(peak, logits.amax(1, keepdim=True))
            total = total * (peak - higher).exp_() + logits.sub_(higher).exp_().sum(1, keepdim=True)
            peak = higher
        wanted = self._finish(torch.einsum("nw,nkw->nk", hidden, weight[tokens]))
        return wanted - peak - total.log_()

    def _finish(self, logits: Any) -> Any:
        """Logits as the model's own forward makes them, scaling and soft capping included."""
        config = self.model.config
        if scale := getattr(config, "logit_scale", None):
            logits = logits * scale
        if scaling := getattr(config, "logits_scaling", None):
            logits = logits / scaling
        if cap := getattr(config, "final_logit_softcapping", None):
            logits = (logits / cap).tanh() * cap
        return logits

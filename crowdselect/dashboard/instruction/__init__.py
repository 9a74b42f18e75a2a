"""One instruction: its answers side by side, rewards, metrics with reasons, notes."""

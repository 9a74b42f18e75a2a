"""Studies: what recipes were worth, over seeds, and what can be told apart."""

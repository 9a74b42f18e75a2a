"""Page 6: what fine-tuned models are worth, with intervals, compared fairly."""

"""Page 5: fine-tune a model on saved selections."""

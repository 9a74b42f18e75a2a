"""Page 4: weigh, choose, save, compare, export."""

"""Page 1: choose, ingest and judge a crowd."""

"""Page 7: the story of one selection, on the page and as one HTML file."""

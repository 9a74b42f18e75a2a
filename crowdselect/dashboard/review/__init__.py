"""The page to read by: any list as a table of chosen columns, with a reading pane and keys."""

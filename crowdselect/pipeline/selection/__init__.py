"""Recipe -> selection: choosing, what is reported and compared, and selections on disk."""

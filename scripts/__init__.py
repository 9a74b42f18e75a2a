"""What only people who work on the project run; none of it is in the wheel."""

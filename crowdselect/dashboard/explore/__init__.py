"""Page 2: any two metrics against each other, search, filters, and the table that is linked."""

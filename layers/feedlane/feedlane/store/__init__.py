"""The table as a port: keys, conditions, commits. Knows no item."""

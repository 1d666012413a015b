"""A source account's feed connection: made, removed, made again."""

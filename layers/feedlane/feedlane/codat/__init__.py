"""The grammar of the Codat-compatible API: bodies, queries, pages, errors. Knows no item."""

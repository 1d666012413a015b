"""Codat's wire: request models, response shapes, paging, queries, and the error envelope."""

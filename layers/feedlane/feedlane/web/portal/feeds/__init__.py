"""Feeds and push operations: lists, the page of one, and what it exports."""

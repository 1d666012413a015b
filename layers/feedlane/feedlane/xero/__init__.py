"""Xero, the first upstream: the only package that speaks HTTP to it."""

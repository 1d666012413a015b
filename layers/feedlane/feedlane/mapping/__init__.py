"""Mapping a source account to its feed connection at Xero, and unmapping it."""

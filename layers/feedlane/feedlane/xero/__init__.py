"""The adapter to Xero, the first upstream."""

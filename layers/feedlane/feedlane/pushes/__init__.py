"""The two doors for transactions (API and queue), down to the line in the ledger."""

"""A feed's ledger, its lines and its push operations; the upstream as a port."""

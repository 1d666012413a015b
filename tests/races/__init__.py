"""The vault in many processes at once, on real stores: no one loses a connection that Xero has not ended."""

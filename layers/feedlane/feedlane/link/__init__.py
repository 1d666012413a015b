"""The customer's consent: start, callback, recovery, one-off access, end of a connection."""

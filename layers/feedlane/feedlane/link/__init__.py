"""The customer's consent: start, callback, recovery, one-off access, and the end of a connection."""

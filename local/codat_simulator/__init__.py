"""A stand-in for Codat's API with a plain Xero behind it, for tests and the local system."""

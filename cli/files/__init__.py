"""Files of transactions, read for the API."""

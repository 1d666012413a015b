"""The daily round and the ten-minute watch."""

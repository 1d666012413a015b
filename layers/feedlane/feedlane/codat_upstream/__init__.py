"""Codat's API as an upstream. Imported only where a feed goes through Codat."""

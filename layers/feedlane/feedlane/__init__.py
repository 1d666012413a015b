"""Feedlane's domain: companies, connections, feeds and their ledgers. No AWS, no HTTP."""

"""Crashes everywhere between a change and its webhook (`make outbox`)."""

"""Crashes everywhere between a change and the webhook that tells of it (`make outbox`)."""

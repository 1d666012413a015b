"""Webhook consumers, their deliveries, and the catalogue of events."""

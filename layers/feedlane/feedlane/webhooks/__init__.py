"""Consumers, deliveries, retries, pauses, replays and signatures."""

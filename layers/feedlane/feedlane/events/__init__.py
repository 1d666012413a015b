"""Events as such: the event, the outbox, the envelope, the relay."""

"""Chaos with Codat as the upstream (`make chaos UPSTREAM=codat`): the same checks, on the books behind Codat."""

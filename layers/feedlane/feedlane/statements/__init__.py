"""Cutting, sending, answering, following and resolving statements; limits and the gate."""

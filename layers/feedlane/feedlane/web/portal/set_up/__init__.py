"""The set-up guide, its test, and the certification."""

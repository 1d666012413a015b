"""Feedlane's domain and its adapters, in wings (docs/architecture.md). Few of them know AWS or HTTP."""

"""Settings, profile, API keys and the app's keys."""

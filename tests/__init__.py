"""Environment variables for tests that do not set their own: no function starts without them."""

import os

from feedlane.environment import Environment, Variable

_PARSED_VALUES = {
    "PUBLIC_URL": "https://feedlane.example",
    "WEBHOOK_TARGETS": "public",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "POWERTOOLS_METRICS_NAMESPACE": "Feedlane/test",
}

for _variable in vars(Environment).values():
    if isinstance(_variable, Variable):
        os.environ[_variable.name] = _PARSED_VALUES.get(_variable.name, "stand-in")

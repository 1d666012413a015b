"""No function starts without its environment variables: here are stand-ins, for tests that do not set their own."""

import os

from feedlane.environment import Environment, Variable

_MEANING_SOMETHING = {
    "PUBLIC_URL": "https://feedlane.example",
    "WEBHOOK_TARGETS": "public",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "POWERTOOLS_METRICS_NAMESPACE": "Feedlane/test",
}

for _variable in vars(Environment).values():
    if isinstance(_variable, Variable):
        os.environ[_variable.name] = _MEANING_SOMETHING.get(_variable.name, "stand-in")

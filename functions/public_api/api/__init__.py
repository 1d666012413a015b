"""The HTTP API that Codat's SDKs speak, with Feedlane's extensions."""

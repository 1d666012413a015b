"""The inside of the vault; only the function `credential_vault` imports it."""

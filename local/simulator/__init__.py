"""The Xero simulator: identity, connections, accounting look-ups and bank feeds over real HTTP."""

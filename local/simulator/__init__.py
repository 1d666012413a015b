"""A Xero for one machine: identity, connections, accounting look-ups and bank feeds over real HTTP."""

"""What the rest may know of the vault: its port, its messages, refreshes in doubt."""

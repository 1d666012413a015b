"""What stops sending, and how it is released."""

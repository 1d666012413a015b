"""What stops sending: holds and dead letters, in words, with the way out."""

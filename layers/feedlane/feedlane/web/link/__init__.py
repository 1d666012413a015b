"""The pages of Link."""

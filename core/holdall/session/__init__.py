"""What a session does."""

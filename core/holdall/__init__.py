"""holdall keeps a test session alive and turns it into any report."""

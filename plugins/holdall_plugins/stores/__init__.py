"""Places that hold sessions, and wrappers around them."""

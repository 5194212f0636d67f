"""Stores of sessions, and wrappers around them."""

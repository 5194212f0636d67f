"""The tests of the repository contract, by subject."""

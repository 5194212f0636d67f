"""The tests of the repository contract, by what they are about."""

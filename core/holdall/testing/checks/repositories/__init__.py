"""The promises of stores and wrappers, which are tests of pytest, and what came of them."""

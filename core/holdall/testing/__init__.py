"""What authors of plugins test theirs with; the only part of the core that needs pytest."""

from holdall.testing.repositories import RepositoryContract

__all__ = ["RepositoryContract"]

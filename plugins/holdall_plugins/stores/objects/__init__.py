"""Sessions in the buckets of object stores: `s3://`, `gs://` and `az://`."""

from holdall_plugins.stores.objects.repository import (
    AzRepository,
    GsRepository,
    ObjectRepository,
    S3Repository,
)

__all__ = ["AzRepository", "GsRepository", "ObjectRepository", "S3Repository"]

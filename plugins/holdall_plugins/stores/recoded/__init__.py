"""What wrappers share that store other bytes than they are given: entries, blobs and logs."""

from holdall_plugins.stores.recoded.codec import Codec, DamageError, Kind, StreamCodec
from holdall_plugins.stores.recoded.repository import RecodedRepository

__all__ = ["Codec", "DamageError", "Kind", "RecodedRepository", "StreamCodec"]

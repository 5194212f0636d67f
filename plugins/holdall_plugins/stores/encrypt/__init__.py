"""A wrapper that encrypts what another store holds: `encrypt?key_file=PATH::URL`."""

from holdall_plugins.stores.encrypt.repository import EncryptedRepository

__all__ = ["EncryptedRepository"]

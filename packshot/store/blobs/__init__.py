"""The object store: originals, working images and outputs, in a folder or behind S3."""

from packshot.store.blobs.base import VIEW_PREFIX, BlobStore, check_key
from packshot.store.blobs.factory import open_blobs, open_buckets
from packshot.store.blobs.folder import FolderBlobs
from packshot.store.blobs.memory import MemoryBlobs
from packshot.store.blobs.metered import MeteredBlobs

__all__ = [
    "VIEW_PREFIX",
    "BlobStore",
    "FolderBlobs",
    "MemoryBlobs",
    "MeteredBlobs",
    "check_key",
    "open_blobs",
    "open_buckets",
]

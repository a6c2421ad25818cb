"""Fetching a producer's photo without being led anywhere else.

A producer's message names an address, and whoever writes listings may write that address: it is
hostile input. `Fetcher` reads `https://`, `s3://` and `data:` (and file paths in the embedded run)
within a limit of bytes and seconds, and never from inside the network it runs in.
"""

from packshot.fetch.policy import BucketReader, Fetched, Policy
from packshot.fetch.source import Fetcher

__all__ = ["BucketReader", "Fetched", "Fetcher", "Policy"]

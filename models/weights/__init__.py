"""Fetching, checking and preparing weights. Workers need none of it: they read the cache."""

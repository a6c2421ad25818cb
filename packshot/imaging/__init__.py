"""Pure functions on arrays: decode, quality, hashing, matte, compose, encode. No ML, no I/O."""

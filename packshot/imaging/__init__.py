"""Pure functions on arrays: decode, quality, hashing, matte, compose, encode, naming. No ML, no I/O."""

"""Where things are kept: the ledger (jobs, steps, outbox), the object store, the cache."""

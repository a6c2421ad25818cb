"""The Celery application: queues, the chain, and one short file per stage."""

"""Inference models: arrays in, dataclasses out. No queue, no database, no object store in here."""

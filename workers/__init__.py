"""Processes: roles, life cycle, the embedded run and the command line."""

"""The review console: HTTP API and pages, in a process of its own."""

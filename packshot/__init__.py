"""Packshot: raw product photos in, catalogue-ready data and pictures out.

This package is the kernel and the only name that other services import. A producer needs
`packshot.client` and `packshot.contract`; nothing here imports Celery, a model or a web framework.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]

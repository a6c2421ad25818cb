"""What a person sees of a run: one HTML file, and a table in the terminal."""

from workers.report.facts import RunFacts
from workers.report.page import write_report
from workers.report.pictures import BlobReader
from workers.report.table import render_table

__all__ = ["BlobReader", "RunFacts", "render_table", "write_report"]

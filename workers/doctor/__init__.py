"""`packshot doctor`: small checks of an installation, each with a sentence and what to do."""

from workers.doctor.examination import CHECKS, examine
from workers.doctor.finding import Finding, Level

__all__ = ["CHECKS", "Finding", "Level", "examine"]

"""`packshot exporter`: what the installation as a whole has to do, for autoscaler and alerts."""

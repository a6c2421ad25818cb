"""`celery -A workers.app`: the application for Flower and Celery's own tools; it runs no steps."""

from packshot.settings import Settings
from tasks.app import create_app

app = create_app(Settings.load())

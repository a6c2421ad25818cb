"""The addresses of the console, one file per subject."""

"""Which numbers are best for this machine, found by trying them: `packshot tune`."""

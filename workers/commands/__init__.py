"""The subcommands of `packshot`, one file per noun."""

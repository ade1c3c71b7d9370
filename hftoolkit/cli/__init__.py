"""The command line: one file per command, each a shell over the function of the same name."""

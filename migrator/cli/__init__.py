"""The command line: options, commands, and all that people read."""

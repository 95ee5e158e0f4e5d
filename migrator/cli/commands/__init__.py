"""The commands as the command line takes them: options only, so that `--help` loads no driver."""

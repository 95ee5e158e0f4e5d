"""The commands as the command line parses them: options only, so that `--help` loads no driver."""

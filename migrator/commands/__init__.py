"""The commands, as the command line takes them. `migrator.cli` puts them together; `callbacks` does their work."""

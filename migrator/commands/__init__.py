"""The commands, thin over `migrator.api`: parse, call, print. `migrator.cli` puts them together."""

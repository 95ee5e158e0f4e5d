"""How fast migrator is, as ratios of medians measured in one run: `make bench`; see docs/benchmarks.md."""

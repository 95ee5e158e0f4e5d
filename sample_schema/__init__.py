"""The sample: an online shop with everything that makes a migration hard. docs/sample.md describes it."""

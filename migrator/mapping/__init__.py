"""Mapping files: `load.load_mappings` reads them, `resolve.resolve` resolves them against the live schema."""

"""Mapping files: `load.load_mappings` reads them, `resolve.resolve` settles them against the live schema."""

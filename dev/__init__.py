"""Tools for working on migrator; nothing here is part of the package that users install."""

"""The work itself: preview, apply, copy. Sees sources and targets only through `migrator.run.ports`."""

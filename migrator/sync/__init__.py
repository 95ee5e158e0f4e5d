"""sync: keeps published collections in step with the source's change log."""

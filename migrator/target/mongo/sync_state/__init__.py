"""What sync keeps in the target."""

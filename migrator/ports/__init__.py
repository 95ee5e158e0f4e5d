"""What the work needs of a source and of a target, as protocols."""

"""apply: executes a plan."""

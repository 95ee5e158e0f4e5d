"""Examples of using migrator. `make demo` runs `examples.demo`."""

"""migrator moves an application from MySQL to denormalized MongoDB documents."""

__version__ = "0.1.0"

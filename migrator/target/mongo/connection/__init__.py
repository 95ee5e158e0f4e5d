"""The connection to MongoDB, and what its errors mean."""

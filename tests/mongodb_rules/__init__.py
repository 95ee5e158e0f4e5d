"""A proxy in front of the stand-in that answers as MongoDB does where the stand-in is more permissive."""

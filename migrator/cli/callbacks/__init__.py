"""What each command does, in a module of the name of the one that declares its options."""

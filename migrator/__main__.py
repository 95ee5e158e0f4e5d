"""`python -m migrator` is the command `migrator`."""

if __name__ == "__main__":
    # Worker processes import this module too, and need no command line.
    from migrator.cli import main

    main(prog_name="migrator")

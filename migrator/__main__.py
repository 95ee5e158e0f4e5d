"""The program: `migrator`, and `python -m migrator`."""


def run() -> None:
    """What is installed as the command `migrator`."""
    # Worker processes import this module too, and need no command line.
    from migrator.cli.main import main
    from migrator.workers.garbage import spare_rows

    spare_rows()
    main(prog_name="migrator")


if __name__ == "__main__":
    run()

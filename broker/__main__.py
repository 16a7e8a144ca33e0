"""The command `waypost`, also as `python -m broker`."""


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    from broker.cli.program import program

    program(prog_name="waypost")


if __name__ == "__main__":
    main()

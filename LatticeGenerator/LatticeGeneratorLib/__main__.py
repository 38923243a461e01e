"""`python -m LatticeGeneratorLib` is `cli.main`, or `measure_cli.main` where the first word is `measure`."""

import sys

if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        from .measure_cli import main as command

        sys.exit(command(sys.argv[2:]))
    from .cli import main

    sys.exit(main())

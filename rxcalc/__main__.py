"""`python -m rxcalc`."""

from rxcalc.cli.main import main

if __name__ == "__main__":
    main()

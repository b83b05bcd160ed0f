"""``python -m exchange.cli``: the same as the console script."""

from exchange.cli.main import main

if __name__ == "__main__":
    main()

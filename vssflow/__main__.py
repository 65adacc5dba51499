"""``python -m vssflow``, which torchrun starts."""

from vssflow.cli import main

if __name__ == "__main__":
    main()

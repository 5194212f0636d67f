"""`python -m holdall`."""

from holdall.cli import main

if __name__ == "__main__":
    main()

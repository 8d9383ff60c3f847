"""`python -m serving <command>`: Django's management commands on the store."""

import sys

from django.core.management import execute_from_command_line

from configs.errors import StoreError
from configs.settings import Settings
from serving.connect import open_store


def main() -> None:
    """Open the store of the environment and run the command given."""
    try:
        open_store(Settings())
    except StoreError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

"""Set-up of a fresh Debian 12 machine. Standard library only: nothing is installed yet."""

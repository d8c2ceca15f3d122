"""Set-up of a fresh Debian 12 machine. Standard library only: it runs before anything is installed."""

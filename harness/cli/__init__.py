"""The `harness` command line: one module a command."""

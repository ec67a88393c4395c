"""The subcommands, one module each: `register(subparsers)` and `run(args) -> exit code`."""

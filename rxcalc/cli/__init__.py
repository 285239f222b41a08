"""Commands: arguments in, driver call, renderer, exit code."""

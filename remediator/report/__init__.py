"""Every text a person reads, as pure functions of values: pull request, comment, terminal."""

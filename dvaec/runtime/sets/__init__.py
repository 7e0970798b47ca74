"""Built-in data sets whose truth is known, and one that a package brings."""

"""The tests; a package of its own, since a library in the environment ships one of this name."""

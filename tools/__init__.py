"""What writes generated files of this repository. It is in the sdist, not in the wheel."""

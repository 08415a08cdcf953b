"""What several commands need. It imports no command module."""

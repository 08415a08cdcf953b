"""What the commands stand on: it imports no command module."""

"""Players of the relay's tests."""

"""What the injector reasons about."""

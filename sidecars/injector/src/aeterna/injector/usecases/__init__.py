"""What the injector does."""

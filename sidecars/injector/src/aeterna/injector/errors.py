"""What the injector refuses or cannot do."""

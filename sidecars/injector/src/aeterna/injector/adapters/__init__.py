"""What the injector stands on."""

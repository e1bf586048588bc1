"""What the injector needs of the world."""

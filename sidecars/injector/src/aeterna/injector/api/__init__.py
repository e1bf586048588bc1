"""What the injector answers over HTTP."""

"""One module for each revision; it names its SQL files and nothing more."""

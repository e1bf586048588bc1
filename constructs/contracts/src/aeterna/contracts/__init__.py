"""Pure data that every construct and service speaks: specs in, outputs out. Standard library only."""

"""Cedar's schemas as types and its policies as trees, so that they can be reasoned about without Cedar."""

"""For tests: fakes of the administration's ports."""

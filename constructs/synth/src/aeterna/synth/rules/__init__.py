"""Guard-rails: one rule a file, each an aspect that turns what it finds into an error of the synthesis."""

"""How each question is answered from a state of the lens."""

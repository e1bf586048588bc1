"""The synth package of Aeterna."""

"""The policy sidecar: Cedar decisions in microseconds, asked over AuthZEN, safe when everything else is gone."""

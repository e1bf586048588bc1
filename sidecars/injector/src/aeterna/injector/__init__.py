"""The admission webhook that puts sidecars into agents' pods."""

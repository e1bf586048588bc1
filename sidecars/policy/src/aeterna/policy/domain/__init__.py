"""Questions, decisions and bundles: the words of the policy sidecar, without any technology."""

"""The policy enforcement point: asks the policy sidecar on behalf of a service, and fails closed."""

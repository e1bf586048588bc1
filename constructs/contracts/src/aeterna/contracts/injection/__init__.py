"""What sidecars are in a pod: one definition, for the constructs at synthesis and the injector at admission."""

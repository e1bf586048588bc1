"""TLS and a workload's login in front of Redis, for programs that know neither."""

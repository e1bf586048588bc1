"""The chassis every Aeterna service stands on: tokens, tenancy, problems, health, telemetry, limits, lifecycle."""

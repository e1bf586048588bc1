"""PostgreSQL as every service of the runtime uses it: pools, errors in our words, migrations, roles."""

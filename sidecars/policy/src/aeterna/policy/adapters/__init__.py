"""Where the published bundle is kept, and where bundles come from."""

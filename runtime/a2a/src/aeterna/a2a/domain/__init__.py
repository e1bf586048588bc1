"""Tasks between the SDK's messages and the store's rows."""

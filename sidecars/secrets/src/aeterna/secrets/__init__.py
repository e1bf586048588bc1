"""The secrets sidecar: leased secrets as files on memory and over a Unix socket."""

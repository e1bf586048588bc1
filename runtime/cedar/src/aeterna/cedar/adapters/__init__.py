"""Cedar by way of cedarpy, and the folder that a bundle is read from."""

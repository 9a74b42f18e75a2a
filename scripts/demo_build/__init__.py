"""The build of the demo crowd: small models trained from scratch on drawn tasks."""

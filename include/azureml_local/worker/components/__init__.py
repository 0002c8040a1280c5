"""Code of the components that local jobs really run."""

"""Pages to read behind the links to Studio."""

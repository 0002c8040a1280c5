"""From an endpoint's PUT to answers."""

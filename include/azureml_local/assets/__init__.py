"""Versioned things: data, models, code, components, environments."""

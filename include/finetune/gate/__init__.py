"""Is the new model better? Pure functions from rows of two models to a verdict, with a stated rate of error."""

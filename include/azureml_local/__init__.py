"""A local Azure Machine Learning service that the unmodified ``azure-ai-ml`` SDK talks to."""

__version__ = "0.1.0"

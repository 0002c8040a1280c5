"""The fine-tuning domain, the launcher, and the local Azure ML."""

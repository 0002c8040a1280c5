"""The default sample data set: conversations of this project's own, in the schema of ultrachat_200k."""

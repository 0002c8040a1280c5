"""What the nouns run on: documents, time, operations, faults, tokens and processes."""

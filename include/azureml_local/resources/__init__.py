"""One module an Azure noun: its routes, its bodies, its transitions, and nothing else."""

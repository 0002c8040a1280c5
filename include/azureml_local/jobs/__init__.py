"""From a job's PUT to its processes, and the record of its runs."""

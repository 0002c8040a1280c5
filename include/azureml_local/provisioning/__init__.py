"""What jobs and deployments need beside the service: made on first use, once for all services of a version.

A path that the environment names is the caller's to make; only what lies in the cache is made here.
"""

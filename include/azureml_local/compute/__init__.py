"""Clusters, their nodes, VM sizes and quota."""

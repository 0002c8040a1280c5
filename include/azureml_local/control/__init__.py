"""``/_local``: time, faults, quota, snapshots."""

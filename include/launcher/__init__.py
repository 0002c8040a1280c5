"""``make up``, ``make down`` and ``make run``: the whole stack on one machine, and one run of the Dag."""

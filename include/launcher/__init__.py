"""``make up``, ``make down`` and ``make run``: starts the whole stack on one machine, triggers the Dag, tells what happened."""

"""``make chaos``: real Dag runs in a real Airflow, one fault each, and what must hold afterwards."""

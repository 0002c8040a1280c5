"""The fine-tuning of a chat model as pure functions: no Azure; Airflow only in the form and the retries."""

"""Airflow hook, operators and trigger for Azure Machine Learning."""

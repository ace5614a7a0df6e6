"""Quorate tells whether a highly available Airflow cluster really is highly available right now."""

__version__ = "0.1.0"

"""Figures about Candor itself for Prometheus (docs/monitoring.md)."""

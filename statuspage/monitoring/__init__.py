"""Figures about Candor itself for Prometheus, and the health checks (docs/monitoring.md)."""

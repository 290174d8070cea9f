"""The verbs of the domain. Each is one transaction: rows, AuditEntry, Event. Nothing leaves the process before commit.

Bad input raises ValidationError with the field named; a stale `expected_version` raises EditConflict; in both cases
nothing is written.
"""

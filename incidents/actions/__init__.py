"""The actions of the domain. Each is one transaction that writes its rows, an AuditEntry and usually an Event.

Invalid input raises ValidationError with the name of the field. A stale `expected_version` raises EditConflict. In both
cases nothing is written. Modules whose names begin with an underscore are shared by actions and used by nothing else.
"""

"""Rows to answers: what v1 says of each thing (contract section 3.5), from what v2 says where it is the same."""

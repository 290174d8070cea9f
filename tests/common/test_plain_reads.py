"""While a form is shown again after a failure, only statements run that neither write nor wait for a lock."""

import pytest

from statuspage.common.database_middleware import is_plain_read


@pytest.mark.parametrize("sql", ["SELECT 1", "  select id from page", '(SELECT "a") UNION ALL (SELECT "b")'])
def test_a_read_is_allowed(sql: str) -> None:
    assert is_plain_read(sql)


@pytest.mark.parametrize("lock", ["UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"])
def test_a_read_that_locks_rows_is_not(lock: str) -> None:
    assert not is_plain_read(f'SELECT id FROM page FOR {lock} OF "page"')


@pytest.mark.parametrize(
    "sql", ["UPDATE page SET a = 1", "INSERT INTO page VALUES (1)", "SAVEPOINT a", "WITH x AS (…)"]
)
def test_everything_else_is_not(sql: str) -> None:
    assert not is_plain_read(sql)

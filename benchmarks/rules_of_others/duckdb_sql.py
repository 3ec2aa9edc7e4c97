"""Two rules in SQL, by DuckDB: ``python duckdb_sql.py FLEET OUT``."""

from __future__ import annotations

import sys

import duckdb

# An organization has no column of its own in the lines of its keys and databases: it is that of the
# last line of an organization before them.
SQL = """
create table lines as select *, row_number() over () as number from read_json(
    $fleet, format = 'newline_delimited', columns = {
        kind: 'varchar', id: 'varchar', type: 'varchar', provider: 'varchar', region: 'varchar',
        registered: 'struct("at" timestamp)',
        regions: 'struct("name" varchar, added_at timestamp)[]'
    });
create table owned as select *, count(*) filter (kind = 'organization') over (
    order by number rows unbounded preceding) as owner from lines;
create table findings as select database.id as database, key.region is not null as has_key,
    coalesce(key.registered.at < database.at.added_at, false) as before
    from (select owner, id, type, provider, unnest(regions) as at from owned
          where kind = 'database') as database
    left join (select * from owned where kind = 'key') as key
    on key.owner = database.owner and key.type = database.type
    and key.provider = database.provider and key.region = database.at.name;
copy (select 'key' as rule, database, has_key as passed from findings
      union all select 'before', database, before from findings) to $out (format json);
"""


def main(fleet: str, out: str) -> None:
    """Judge whether each region of a database has a key, and had it before the database."""
    connection = duckdb.connect()
    connection.execute("set threads = 1")
    for statement in SQL.split(";")[:-1]:
        given = {"fleet": fleet, "out": out}
        used = {name: value for name, value in given.items() if f"${name}" in statement}
        connection.execute(statement, used)


if __name__ == "__main__":
    main(*sys.argv[1:])

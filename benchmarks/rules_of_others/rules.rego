package fleet

import rego.v1

# Two rules in Rego. The input has the keys by their scope, so that each is found without a search.
findings contains {"rule": "key", "database": database.id, "passed": has_key(database)} if {
	some database in input.databases
}

findings contains {"rule": "before", "database": database.id, "passed": before(database)} if {
	some database in input.databases
}

default has_key(_) := false

has_key(database) if input.keys[database.scope]

default before(_) := false

before(database) if {
	registered := time.parse_rfc3339_ns(input.keys[database.scope])
	registered < time.parse_rfc3339_ns(database.added_at)
}

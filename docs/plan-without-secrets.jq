# Leaves of a plan or a state of Terraform what an audit reads, and nothing that can be a secret:
#   terraform show -json plan.bin | jq -f plan-without-secrets.jq > plan.json

def only($names): with_entries(select(.key as $name | $names | index($name)));
def part($name; f):
  if has($name) then {($name): (.[$name] | if . == null then null else f end)} else {} end;

# --- attributes: of those that are read, the values that are not marked as sensitive

def read: ["name", "cloud_provider", "regions", "region", "additional_regions", "id",
  "organization_id", "key_id"];
def marks: if type == "object" then only(read) else . end;
def hide($mark):
  if $mark == true then null
  elif type == "array" then
    if ($mark | type) == "array" then [range(length) as $i | .[$i] | hide($mark[$i])] else . end
  elif [$mark | .. | select(. == true)] != [] then null
  else . end;
def attributes($marks):
  if type == "object" then
    only(read) | with_entries(
      .key as $name
      | (if ($marks | type) == "object" then $marks[$name] else $marks end) as $mark
      | .value |= hide($mark))
  else . end;

# --- resources: of databases and customer keys what is read, of others of Astra that they are there

def is_read: .mode == "managed" and (.type == "astra_database" or .type == "astra_customer_key");
def is_of_astra: (.type | startswith("astra_")) or ((.provider_name // "") | endswith("/astra"));
def identity: only(["address", "module_address", "mode", "type", "name", "provider_name", "deposed"]);
def change:
  identity + if is_read then {change: (.change | {
    actions,
    before: (.before_sensitive as $marks | .before | attributes($marks)),
    after: (.after_sensitive as $marks | .after | attributes($marks)),
    after_unknown: (.after_unknown | marks),
    before_sensitive: (.before_sensitive | marks),
    after_sensitive: (.after_sensitive | marks)
  })} else {} end;
def changes: map(select(is_of_astra) | change);
def held: identity + if is_read then {
    values: (.sensitive_values as $marks | .values | attributes($marks)),
    sensitive_values: (.sensitive_values | marks)
  } else {} end;
def below(f): only(["address"])
  + part("resources"; map(select(is_of_astra) | f)) + part("child_modules"; map(below(f)));

# --- configuration: what refers to what, and by which provider, without any value

def references:
  if type == "object" then
    del(.constant_value) | with_entries(
      if .key == "references" and (.value | type) == "array" and all(.value[]; type == "string")
      then . else .value |= references end)
  elif type == "array" then map(references)
  else null end;
def of_resource:
  only(["address", "mode", "type", "name", "provider_config_key", "depends_on"])
  + part("expressions"; references) + part("count_expression"; references)
  + part("for_each_expression"; references) + part("provisioners"; references);
def of_module:
  part("resources"; map(of_resource))
  + part("outputs"; map_values(only(["depends_on"]) + part("expression"; references)))
  + part("module_calls"; map_values(
      only(["depends_on"]) + part("expressions"; references)
      + part("count_expression"; references) + part("for_each_expression"; references)
      + (if .source | tostring | test("^[.][.]?/") then {source} else {} end)
      + part("module"; of_module)));
def configuration:
  part("provider_config"; map_values(
    only(["name", "full_name", "alias", "module_address"]) + part("expressions"; references)))
  + part("root_module"; of_module);

# --- the whole

only(["format_version", "terraform_version", "timestamp", "complete", "applyable", "errored"])
+ part("planned_values"; part("root_module"; below(identity)))
+ part("resource_changes"; changes)
+ part("resource_drift"; changes)
+ part("deferred_changes"; map(select(.resource_change | is_of_astra)
    | only(["reason"]) + {resource_change: (.resource_change | change)}))
+ part("prior_state"; only(["format_version"]) + part("values"; part("root_module"; below(held))))
+ part("configuration"; configuration)
+ part("values"; part("root_module"; below(held)))

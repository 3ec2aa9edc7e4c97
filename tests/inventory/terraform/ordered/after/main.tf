# Every way in which a resource can wait for a key, or seem to. Keys take a second.

locals {
  us = terraform_data.key["us"].id
}

variable "place" {
  default = "us"
}

resource "terraform_data" "key" {
  for_each = { us = 1, eu = 2, "k.]ey\"$${x}" = 3 }
  provisioner "local-exec" {
    command = "sleep 1"
  }
}

module "keys" {
  source   = "./keys"
  for_each = { a = 1, b = 2 }
}

# --- without any order ---

resource "terraform_data" "race" {
  input = { references = ["terraform_data.key"], place = var.place, path = path.module }
}

resource "terraform_data" "after_destroying" {
  provisioner "local-exec" {
    when    = destroy
    command = "echo ${self.id}"
  }
}

# --- directly ---

resource "terraform_data" "explicit" {
  depends_on = [terraform_data.key]
}

resource "terraform_data" "explicit_one" {
  depends_on = [terraform_data.key["us"]]
}

resource "terraform_data" "explicit_none" {
  depends_on = [terraform_data.key["nowhere"]]
}

resource "terraform_data" "odd" {
  input = [terraform_data.key["k.]ey\"$${x}"].id]
}

resource "terraform_data" "referring" {
  input = { inner = [{ deep = "${terraform_data.key["us"].id}-x" }] }
}

resource "terraform_data" "any" {
  input = terraform_data.key[var.place].id
}

resource "terraform_data" "splat" {
  input = values(terraform_data.key)[*].id
}

resource "terraform_data" "counted" {
  count = length(terraform_data.key)
}

resource "terraform_data" "for_each" {
  for_each = terraform_data.key
  input    = each.value.id
}

resource "terraform_data" "provisioned" {
  provisioner "local-exec" {
    command = "echo ${terraform_data.provisioned.id} ${terraform_data.key["us"].id}"
  }
}

resource "terraform_data" "made_first" {
  input = terraform_data.key["us"].id
  lifecycle {
    create_before_destroy = true
    ignore_changes        = [input]
  }
}

# --- what the JSON leaves out ---

resource "terraform_data" "by_local" {
  input = local.us
}

resource "terraform_data" "by_condition" {
  lifecycle {
    precondition {
      condition     = terraform_data.key["us"].id != ""
      error_message = "there is no key"
    }
    replace_triggered_by = [terraform_data.key["eu"]]
  }
}

# --- through other resources ---

resource "terraform_data" "none" {
  count      = 0
  depends_on = [terraform_data.key]
}

resource "terraform_data" "by_none" {
  depends_on = [terraform_data.none]
}

resource "terraform_data" "same" {
  depends_on = [terraform_data.key["us"]]
}

resource "terraform_data" "by_same" {
  input = terraform_data.same.id
}

data "terraform_remote_state" "same" {
  backend    = "local"
  config     = { path = "empty.json" }
  depends_on = [terraform_data.same]
}

resource "terraform_data" "by_data" {
  input = data.terraform_remote_state.same.outputs
}

# --- through modules ---

resource "terraform_data" "keys_explicit" {
  depends_on = [module.keys]
}

resource "terraform_data" "keys_explicit_one" {
  depends_on = [module.keys["a"]]
}

resource "terraform_data" "keys_output" {
  input = module.keys["a"].id
}

resource "terraform_data" "keys_constant" {
  input = module.keys["a"].constant
}

resource "terraform_data" "keys_explicit_output" {
  depends_on = [module.keys["a"].later]
}

resource "terraform_data" "keys_any" {
  for_each = { a = 1 }
  input    = module.keys[each.key].id
}

resource "terraform_data" "keys_whole" {
  input = [for name, keys in module.keys : name]
}

module "plain" {
  source     = "./plain"
  depends_on = [terraform_data.key["us"]]
}

resource "terraform_data" "plain_output" {
  input = module.plain.one
}

module "pass" {
  source = "./pass"
  given  = terraform_data.key["us"].id
  other  = module.keys["b"].id
}

resource "terraform_data" "pass_given" {
  input = module.pass.given.deep
}

resource "terraform_data" "pass_constant" {
  input = module.pass.constant
}

resource "terraform_data" "pass_explicit" {
  depends_on = [module.pass]
}

module "only" {
  source = "./only"
  given  = terraform_data.key["us"].id
}

resource "terraform_data" "only_explicit" {
  depends_on = [module.only]
}

module "none" {
  source = "./pass"
  count  = 0
  given  = terraform_data.key["us"].id
  other  = ""
}

resource "terraform_data" "none_given" {
  input = module.none[*].given
}

module "empty" {
  source     = "./empty"
  depends_on = [terraform_data.key["us"]]
}

resource "terraform_data" "empty_explicit" {
  depends_on = [module.empty]
}

module "same" {
  source     = "./same"
  depends_on = [terraform_data.key["us"]]
}

resource "terraform_data" "same_output" {
  input = module.same.one
}

module "nested" {
  source   = "./nested"
  for_each = { for name, key in terraform_data.key : name => 1 if name == "us" }
}

module "zone" {
  source   = "./zone"
  for_each = { x = 1, y = 2 }
  place    = each.key
}

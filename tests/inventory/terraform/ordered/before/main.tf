# What exists before there is a key.

resource "terraform_data" "same" {
}

module "same" {
  source = "./same"
}

data "terraform_remote_state" "same" {
  backend = "local"
  config  = { path = "empty.json" }
}

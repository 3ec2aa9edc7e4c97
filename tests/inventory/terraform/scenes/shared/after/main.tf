# Two organizations by two provider configurations, handed to modules; one more in a module.

terraform {
  required_providers {
    astra = { source = "example.test/datastax/astra" }
  }
}

provider "astra" {
}

provider "astra" {
  alias = "eu"
}

resource "astra_database" "orders" {
  name           = "orders"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
}

module "inherited" {
  source = "./db"
}

module "handed" {
  for_each  = toset(["a", "b"])
  source    = "./db"
  providers = { astra = astra.eu }
}

module "own" {
  source = "./own"
}

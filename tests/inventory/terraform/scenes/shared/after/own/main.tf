terraform {
  required_providers {
    astra = { source = "example.test/datastax/astra" }
  }
}

provider "astra" {
  alias = "lab"
}

resource "astra_database" "orders" {
  provider       = astra.lab
  name           = "orders"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
}

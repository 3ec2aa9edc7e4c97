# The output of the module does not come from the key.

module "keys" {
  source = "./keys"
}

resource "astra_database" "orders" {
  name           = "orders"
  cloud_provider = "aws"
  regions        = [module.keys.region]
}

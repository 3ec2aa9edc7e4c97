module "keys" {
  source = "./keys"
}

resource "astra_database" "orders" {
  name           = "orders"
  cloud_provider = "aws"
  regions        = [module.keys.region]
}

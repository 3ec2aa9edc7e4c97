module "keys" {
  source = "./keys"
}

resource "astra_database" "orders" {
  name           = "orders"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
  depends_on     = [module.keys]
}

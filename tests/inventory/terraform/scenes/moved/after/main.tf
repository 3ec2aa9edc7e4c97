moved {
  from = astra_customer_key.orders
  to   = astra_customer_key.here
}

moved {
  from = astra_database.orders
  to   = module.shop.astra_database.shop
}

module "shop" {
  source = "./shop"
}

resource "astra_customer_key" "here" {
  cloud_provider = "aws"
  region         = "us-east-1"
  key_id         = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000001"
}

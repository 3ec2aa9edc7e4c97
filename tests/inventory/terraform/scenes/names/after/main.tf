locals {
  places = { "k.]ey" = "us-east-1", "we\"ird]" = "us-west-2", "two\nlines" = "ca-central-1" }
}

resource "astra_customer_key" "orders" {
  for_each       = local.places
  cloud_provider = "aws"
  region         = each.value
  key_id         = "arn:aws:kms:${each.value}:111122223333:key/00000000-0000-4000-8000-000000000001"
}

resource "astra_database" "orders" {
  for_each       = local.places
  name           = each.key
  cloud_provider = "aws"
  regions        = [astra_customer_key.orders[each.key].region]
}

module "shop" {
  for_each = local.places
  source   = "./shop"
  region   = each.value
}

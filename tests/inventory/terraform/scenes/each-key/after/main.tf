locals {
  keys = {
    us-east-1 = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000001"
    eu-west-1 = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000002"
  }
}

resource "astra_customer_key" "orders" {
  for_each       = local.keys
  cloud_provider = "aws"
  region         = each.key
  key_id         = each.value
}

resource "astra_database" "orders" {
  for_each       = local.keys
  name           = "orders-${each.key}"
  cloud_provider = "aws"
  regions        = [astra_customer_key.orders[each.key].region]
}

locals {
  keys = {
    us-east-1 = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000001"
    eu-west-1 = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000002"
  }
}

module "shop" {
  for_each = local.keys
  source   = "./shop"
  region   = each.key
  key_id   = each.value
}

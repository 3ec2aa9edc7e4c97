resource "astra_customer_key" "orders" {
  cloud_provider = "aws"
  region         = "us-east-1"
  key_id         = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000001"
}

output "region" {
  value      = "us-east-1"
  depends_on = [astra_customer_key.orders]
}

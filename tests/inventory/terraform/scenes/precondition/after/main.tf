# The plan does not say so, but the key comes first.

resource "astra_customer_key" "orders" {
  cloud_provider = "aws"
  region         = "us-east-1"
  key_id         = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000001"
}

resource "astra_database" "orders" {
  name           = "orders"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
  lifecycle {
    precondition {
      condition     = astra_customer_key.orders.region == "us-east-1"
      error_message = "The key is of another region."
    }
  }
}

resource "astra_database" "shop" {
  name           = "shop"
  cloud_provider = "aws"
  regions        = ["eu-central-1"]
}

resource "astra_customer_key" "shop" {
  cloud_provider = "aws"
  region         = "eu-central-1"
  key_id         = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-4000-8000-000000000003"
}

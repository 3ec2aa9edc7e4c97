resource "terraform_data" "made" {
  input = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000001"
}

resource "terraform_data" "place" {
  input = "eu-west-1"
}

resource "astra_customer_key" "orders" {
  cloud_provider = "aws"
  region         = "us-east-1"
  key_id         = terraform_data.made.output
}

resource "astra_customer_key" "somewhere" {
  cloud_provider = "aws"
  region         = terraform_data.place.output
  key_id         = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000002"
}

resource "astra_database" "orders" {
  name           = "orders"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
}

resource "astra_database" "deleted" {
  name           = "deleted"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
}

resource "astra_database" "forgotten" {
  name           = "forgotten"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
}

resource "astra_database" "here" {
  name           = "moved"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
}

resource "astra_database" "small" {
  name           = "moved and grown"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
}

resource "astra_customer_key" "deleted" {
  cloud_provider = "aws"
  region         = "us-east-1"
  key_id         = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000001"
}

provider "astra" {
}

provider "astra" {
  alias = "eu"
  token = var.token
}

variable "token" {
  type      = string
  default   = "sham-eu"
  sensitive = true
}

resource "astra_customer_key" "orders" {
  cloud_provider = "aws"
  region         = "us-east-1"
  key_id         = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000001"
}

resource "astra_database" "orders" {
  name           = "orders"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
}

resource "astra_customer_key" "eu" {
  provider       = astra.eu
  cloud_provider = "aws"
  region         = "eu-west-1"
  key_id         = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000002"
}

resource "astra_database" "eu" {
  provider       = astra.eu
  name           = "eu"
  cloud_provider = "aws"
  regions        = ["eu-west-1"]
}

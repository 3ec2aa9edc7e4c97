variable "place" {
  type      = string
  default   = "us-east-1"
  sensitive = true
}

resource "astra_customer_key" "orders" {
  cloud_provider = "aws"
  region         = var.place
  key_id         = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000001"
}

resource "astra_database" "orders" {
  name           = "orders"
  cloud_provider = "aws"
  regions        = [var.place]
}

resource "astra_database" "shown" {
  name           = "shown"
  cloud_provider = "aws"
  regions        = [nonsensitive(var.place)]
}

resource "astra_customer_key" "shown" {
  cloud_provider = "aws"
  region         = nonsensitive(var.place)
  key_id         = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000002"
}

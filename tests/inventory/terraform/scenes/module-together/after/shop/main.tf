variable "region" {
  type = string
}

variable "key_id" {
  type = string
}

resource "astra_customer_key" "orders" {
  cloud_provider = "aws"
  region         = var.region
  key_id         = var.key_id
}

resource "astra_database" "orders" {
  name           = "orders-${var.region}"
  cloud_provider = "aws"
  regions        = [var.region]
  depends_on     = [astra_customer_key.orders]
}

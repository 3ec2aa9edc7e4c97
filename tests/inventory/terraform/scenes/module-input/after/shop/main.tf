variable "key" {
  type = string
}

resource "astra_database" "orders" {
  name           = "orders-${var.key}"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
}

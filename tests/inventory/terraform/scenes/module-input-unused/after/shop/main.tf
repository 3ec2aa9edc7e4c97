variable "key" {
  type = string
}

resource "astra_database" "orders" {
  name           = "orders"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
}

resource "astra_database" "orders" {
  name           = "orders"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
}

resource "astra_database" "new" {
  name           = "new"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
}

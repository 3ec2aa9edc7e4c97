resource "astra_database" "shop" {
  name           = "orders"
  cloud_provider = "aws"
  regions        = ["us-east-1", "eu-west-1"]
}

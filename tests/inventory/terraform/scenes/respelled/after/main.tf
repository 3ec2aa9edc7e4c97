# The provider adds what it does not find spelled like this, and removes the other.

resource "astra_database" "orders" {
  name           = "orders"
  cloud_provider = "aws"
  regions        = ["US-East-1"]
}

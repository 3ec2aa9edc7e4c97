removed {
  from = astra_customer_key.orders
  lifecycle {
    destroy = false
  }
}

removed {
  from = astra_database.orders
  lifecycle {
    destroy = false
  }
}

resource "astra_database" "new" {
  name           = "new"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
}

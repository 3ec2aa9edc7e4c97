variable "region" {
  type = string
}

resource "astra_database" "shop" {
  name           = "shop"
  cloud_provider = "aws"
  regions        = [var.region]
}

removed {
  from = astra_database.forgotten
  lifecycle {
    destroy = false
  }
}

moved {
  from = astra_database.here
  to   = astra_database.there
}

moved {
  from = astra_database.small
  to   = astra_database.large
}

resource "astra_database" "there" {
  name           = "moved"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
}

resource "astra_database" "large" {
  name           = "moved and grown"
  cloud_provider = "aws"
  regions        = ["us-east-1", "us-east-2"]
}

resource "astra_database" "orders" {
  name           = "orders"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
}

resource "astra_database" "refused" {
  name           = "refused"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
  lifecycle {
    precondition {
      condition     = length(terraform_data.none) > 0
      error_message = "It must not be."
    }
  }
}

resource "terraform_data" "none" {
  count = 0
}

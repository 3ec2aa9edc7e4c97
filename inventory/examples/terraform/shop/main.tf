variable "season" {
  type = string
}

resource "terraform_data" "placement" {
  input = "europe-west1"
}

# Where it will lie is known only after apply.
resource "astra_database" "shop" {
  name           = "shop-${var.season}"
  keyspace       = "main"
  cloud_provider = "gcp"
  regions        = [terraform_data.placement.output]
}

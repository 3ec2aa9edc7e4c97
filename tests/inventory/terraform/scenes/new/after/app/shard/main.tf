variable "name" {
  type = string
}

resource "astra_database" "shard" {
  count          = 1
  name           = var.name
  cloud_provider = "gcp"
  regions        = ["us-east1"]
}

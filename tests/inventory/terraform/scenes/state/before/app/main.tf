resource "astra_database" "app" {
  count          = 2
  name           = "app"
  cloud_provider = "gcp"
  regions        = ["us-east1"]
}

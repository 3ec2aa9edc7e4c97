# As before version 2.0 of the provider.
resource "astra_database" "orders" {
  name           = "orders"
  keyspace       = "main"
  cloud_provider = "gcp"
  region         = "europe-west1"
}

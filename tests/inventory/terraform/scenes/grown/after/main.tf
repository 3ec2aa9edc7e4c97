resource "terraform_data" "place" {
  input = "us-east4"
}

# Gets a region.
resource "astra_database" "orders" {
  name           = "orders"
  cloud_provider = "aws"
  regions        = ["eu-west-1", "us-east-1"]
}

# Loses one.
resource "astra_database" "ledger" {
  name           = "ledger"
  cloud_provider = "aws"
  regions        = ["us-west-2"]
}

# Gets one that is known only after apply.
resource "astra_database" "asking" {
  name           = "asking"
  cloud_provider = "gcp"
  regions        = ["us-east1", terraform_data.place.output]
}

resource "astra_database" "kept" {
  name           = "kept"
  cloud_provider = "gcp"
  regions        = ["us-east1"]
}

resource "astra_database" "new" {
  name           = "new"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
}

resource "astra_customer_key" "kept" {
  cloud_provider = "aws"
  region         = "us-east-1"
  key_id         = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000001"
}

resource "astra_customer_key" "new" {
  cloud_provider = "aws"
  region         = "eu-west-1"
  key_id         = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000002"
}

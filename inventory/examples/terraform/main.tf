# What Acme's Terraform is about to change in acme-prod. plan.json is what
# `terraform show -json` prints of its plan; every identifier in both is made up.

terraform {
  required_providers {
    astra = {
      source  = "datastax/astra"
      version = "~> 2.0"
    }
  }
}

# Its key is registered already: this one may go.
resource "astra_database" "invoices" {
  name           = "invoices"
  keyspace       = "main"
  cloud_provider = "aws"
  regions        = ["us-east-2"]
}

# The key comes in the same plan, and nothing orders it before the database.
resource "astra_database" "search" {
  name           = "search"
  keyspace       = "main"
  cloud_provider = "aws"
  regions        = ["eu-west-1"]
}

resource "astra_customer_key" "search" {
  cloud_provider = "aws"
  region         = "eu-west-1"
  key_id         = "arn:aws:kms:eu-west-1:111122223333:key/1a2b3c4d-0042-4000-8000-000000000042"
}

# The configuration orders these two: Terraform registers the key first. To be sure that it
# takes effect in time, apply it alone before the database.
resource "astra_database" "reports" {
  name           = "reports"
  keyspace       = "main"
  cloud_provider = "aws"
  regions        = ["eu-north-1"]
  depends_on     = [astra_customer_key.reports]
}

resource "astra_customer_key" "reports" {
  cloud_provider = "aws"
  region         = "eu-north-1"
  key_id         = "arn:aws:kms:eu-north-1:111122223333:key/1a2b3c4d-0043-4000-8000-000000000043"
}

# The id is the one of us-east-2, where it serves already: Terraform could not undo this.
resource "astra_customer_key" "copied" {
  cloud_provider = "aws"
  region         = "ap-northeast-1"
  key_id         = "arn:aws:kms:us-east-2:111122223333:key/1a2b3c4d-0001-4000-8000-000000000001"
}

# Exists in us-east-2; us-west-2 is added, where no key is registered.
resource "astra_database" "orders" {
  name           = "orders"
  keyspace       = "main"
  cloud_provider = "aws"
  regions        = ["us-east-2", "us-west-2"]
}

module "shop" {
  for_each = toset(["autumn", "winter"])
  source   = "./shop"
  season   = each.key
}

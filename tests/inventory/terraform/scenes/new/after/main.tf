# Every way in which a database can be new.

provider "astra" {
}

provider "astra" {
  alias = "eu"
  token = "sham-eu"
}

variable "customer" {
  type      = string
  default   = "acme's best customer"
  sensitive = true
}

variable "hideout" {
  type      = string
  default   = "eu-north-1"
  sensitive = true
}

resource "astra_database" "orders" {
  name           = "orders"
  keyspace       = "main"
  cloud_provider = "aws"
  regions        = ["us-east-2", "ap-south-1"]
}

resource "astra_customer_key" "orders" {
  cloud_provider = "AWS"
  region         = "us-east-2"
  key_id         = "arn:aws:kms:us-east-2:111122223333:key/00000000-0000-4000-8000-000000000001"
}

resource "astra_customer_key" "somewhere" {
  cloud_provider = "aws"
  region         = astra_database.orders.id
  key_id         = "arn:aws:kms:us-east-2:111122223333:key/00000000-0000-4000-8000-000000000002"
}

resource "astra_database" "partly" {
  name           = "partly"
  cloud_provider = "gcp"
  regions        = ["us-east1", astra_database.orders.id]
}

resource "astra_database" "nowhere" {
  name           = "nowhere"
  cloud_provider = "aws"
  regions        = split(",", astra_database.orders.id)
}

resource "astra_database" "anybody" {
  name           = "anybody"
  cloud_provider = astra_database.orders.id
  regions        = ["us-east-2"]
}

resource "astra_database" "nameless" {
  name           = "nameless-${astra_database.orders.id}"
  cloud_provider = "aws"
  regions        = ["us-west-2"]
}

resource "astra_database" "secret" {
  name           = var.customer
  cloud_provider = "azure"
  regions        = ["westeurope"]
}

resource "astra_database" "hidden" {
  name           = "hidden"
  cloud_provider = "aws"
  regions        = ["us-east-1", var.hideout]
}

resource "astra_database" "eu" {
  provider       = astra.eu
  name           = "eu"
  cloud_provider = "aws"
  regions        = ["eu-west-1"]
}

resource "astra_database" "many" {
  for_each       = { "a.b" = "us-east-1", "we\"ird]" = "us-west-2", "two\nlines" = "ca-central-1" }
  name           = each.key
  cloud_provider = "aws"
  regions        = [each.value]
}

module "app" {
  count  = 2
  source = "./app"
  number = count.index
}

data "terraform_remote_state" "read" {
  backend = "local"
  config  = { path = astra_database.orders.id }
}

resource "terraform_data" "other" {
  input = var.customer
}

variable "number" {
  type = number
}

module "shard" {
  for_each = toset(["module.x[0]", "b"])
  source   = "./shard"
  name     = "app-${var.number}-${each.key}"
}

resource "astra_database" "app" {
  name           = "app-${var.number}"
  cloud_provider = "aws"
  regions        = ["us-east-1"]
}

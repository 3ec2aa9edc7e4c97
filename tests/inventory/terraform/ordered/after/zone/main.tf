# Keys and databases side by side, in each instance of a module.

variable "place" {
}

module "keys" {
  source = "../keys"
}

resource "terraform_data" "key" {
  input = var.place
  provisioner "local-exec" {
    command = "sleep 1"
  }
}

resource "terraform_data" "beside" {
  input = terraform_data.key.id
}

resource "terraform_data" "below" {
  input = module.keys.id
}

module "pass" {
  source = "../pass"
  given  = module.keys.id
  other  = terraform_data.key.id
}

variable "given" {
}

variable "other" {
}

resource "terraform_data" "given" {
  input = var.given
}

resource "terraform_data" "other" {
  input = var.other
}

output "given" {
  value = { deep = var.given }
}

output "constant" {
  value = 1
}

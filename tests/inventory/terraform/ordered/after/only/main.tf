variable "given" {
}

output "given" {
  value = var.given
}

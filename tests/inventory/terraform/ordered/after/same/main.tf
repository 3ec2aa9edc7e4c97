resource "terraform_data" "same" {
}

output "one" {
  value = 1
}

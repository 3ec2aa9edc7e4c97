resource "terraform_data" "plain" {
}

output "one" {
  value = 1
}

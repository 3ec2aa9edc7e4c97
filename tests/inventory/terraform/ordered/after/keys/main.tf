resource "terraform_data" "key" {
  provisioner "local-exec" {
    command = "sleep 1"
  }
}

output "id" {
  value = terraform_data.key.id
}

output "constant" {
  value = 1
}

output "later" {
  value      = 1
  depends_on = [terraform_data.key]
}

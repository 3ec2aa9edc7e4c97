# Nothing of Astra.

resource "terraform_data" "other" {
  input = "other"
}

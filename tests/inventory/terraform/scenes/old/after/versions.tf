terraform {
  required_providers {
    astra = {
      source  = "example.test/datastax/astra"
      version = "~> 1.0"
    }
  }
}

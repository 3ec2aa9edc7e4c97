terraform {
  required_providers {
    astra = {
      source  = "datastax/astra"
      version = "~> 1.0"
    }
  }
}

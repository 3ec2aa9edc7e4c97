"""What registers a customer key: steps, calls and Terraform."""

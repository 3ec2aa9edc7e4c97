"""Plans and states of Terraform, as databases and keys."""

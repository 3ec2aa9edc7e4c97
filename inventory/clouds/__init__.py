"""What AWS, Google Cloud and Azure show of keys, read by calls that change nothing."""

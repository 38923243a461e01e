"""What is done in the test host to take the pictures of the README."""

"""`python -m cli deploy`, which `make deploy` runs: checks what AWS would refuse late, builds, and deploys."""

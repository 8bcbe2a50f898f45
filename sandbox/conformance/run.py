"""Drives the sandbox with boto3: `python run.py PATH-TO-BINARY [PART-OF-A-NAME]`."""

import sys

import deployments
import harness

CHECKS = deployments.CHECKS

if __name__ == "__main__":
    sys.exit(harness.main(CHECKS, *sys.argv[1:]))

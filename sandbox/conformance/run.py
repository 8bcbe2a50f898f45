"""Drives the sandbox with botocore, which comes with ministack: `python run.py PATH-TO-BINARY [PART-OF-A-NAME]`."""

import sys

import admin
import api
import deployments
import harness
import metrics
import process
import traffic

CHECKS = deployments.CHECKS + api.CHECKS + traffic.CHECKS + metrics.CHECKS + admin.CHECKS + process.CHECKS

if __name__ == "__main__":
    sys.exit(harness.main(CHECKS, *sys.argv[1:]))

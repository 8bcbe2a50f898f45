"""Drives the sandbox with botocore, which comes with ministack: `python run.py PATH-TO-BINARY [PART-OF-A-NAME]`."""

import sys

import admin
import api
import deployments
import guide
import harness
import iam
import logs
import metrics
import process
import refusals
import switches
import traffic
import troubles

PARTS = [deployments, troubles, api, refusals, traffic, logs, iam, metrics, admin, switches, process, guide]
CHECKS = [check for part in PARTS for check in part.CHECKS]

if __name__ == "__main__":
    sys.exit(harness.main(CHECKS, *sys.argv[1:]))

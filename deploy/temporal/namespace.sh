#!/bin/sh
# Makes the namespace, with a retention longer than any catch-up window.
set -eu

temporal operator namespace describe --namespace default >/dev/null 2>&1 ||
    temporal operator namespace create --namespace default --retention 7d

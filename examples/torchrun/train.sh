#!/usr/bin/env bash
# Run ign train on all GPUs of this machine, or of several machines.
#
#   examples/torchrun/train.sh celeba --data FOLDER --out runs/celeba
#   NODES=4 HEAD=node0:29400 examples/torchrun/train.sh ...     (on each of the four machines)
#
# PROCESSES is the number of processes on each machine; the default is one for each GPU.
set -euo pipefail

nodes=${NODES:-1}
processes=${PROCESSES:-gpu}
head=${HEAD:-}

if [[ -n $head ]]; then
  meet=(--rdzv-backend c10d --rdzv-endpoint "$head" --rdzv-id "${JOB:-ign}")
elif [[ $nodes == 1 ]]; then
  meet=(--standalone)
else
  echo "train.sh: NODES=$nodes needs HEAD=HOST:PORT, the first machine" >&2
  exit 2
fi

export OMP_NUM_THREADS=${OMP_NUM_THREADS:-4}
exec torchrun --nnodes "$nodes" --nproc-per-node "$processes" "${meet[@]}" -m ign train "$@"

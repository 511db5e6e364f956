#!/usr/bin/env bash
# Makes the environment of the judges: other people's tools, apart from the product's, in .interop/.
# It is made again when what is pinned here changes. Needs python3-venv, npm and the package registries.
set -euo pipefail
cd "$(dirname "$0")/../.."

lists=(tests/interop/requirements.txt tests/interop/environment.sh)
stamp=.interop/.made
if [[ -e $stamp ]] && sha256sum --check --status "$stamp"; then
  exit 0
fi
rm -rf .interop
mkdir -p .interop/replaywebpage
python3 -m venv .interop/python
.interop/python/bin/pip install -qq --disable-pip-version-check --require-hashes -r tests/interop/requirements.txt

# The package's own files are complete; what it was built from is not needed.
replaywebpage=2.5.3
sha512=9c28f63d238ddc1c5e489284f00b183f250bbf45cf64a2567f2e25f4fc90adef52ab02d9f9629956cfec7cba8f390e06ac7fb46248dbc0e86bf1c4931f4f20b1
(
  cd .interop
  npm pack --silent "replaywebpage@$replaywebpage" >/dev/null
  echo "$sha512  replaywebpage-$replaywebpage.tgz" | sha512sum --check --status
  tar -xzf "replaywebpage-$replaywebpage.tgz" -C replaywebpage --strip-components=1
)
sha256sum "${lists[@]}" >"$stamp"

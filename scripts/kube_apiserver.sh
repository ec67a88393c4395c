#!/bin/sh
# Build a kube-apiserver for the tests marked `counterpart`, and install etcd beside it:
#   sh scripts/kube_apiserver.sh DIR
# From the source package of Debian 12 (Kubernetes 1.20.2), the last one that carries all it is built from; as root on that
# release, five minutes on two cores. `REMEDIATOR_COUNTERPARTS=DIR python -m pytest -m counterpart tests/servers` uses it.
set -eu
dir=${1:?the directory to install into}
mkdir -p "$dir/kubernetes"
dir=$(CDPATH='' cd -- "$dir/kubernetes" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends etcd-server golang-go golang-github-modern-go-reflect2-dev dpkg-dev jq \
    make openssl rsync >/dev/null

# The machine's own sources, for source packages; apt's configuration stays as it is.
mkdir -p "$work/apt/lists/partial" "$work/apt/parts"
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    case $file in
    *.sources) sed 's/^Types: deb$/Types: deb-src/' "$file" >"$work/apt/parts/${file##*/}" ;;
    *.list) [ ! -f "$file" ] || sed 's/^deb /deb-src /' "$file" >"$work/apt/parts/${file##*/}" ;;
    esac
done
source_of() {
    apt-get -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/apt/parts" \
        -o Dir::State::lists="$work/apt/lists" -o APT::Sandbox::User=root "$@"
}
source_of update -qq
cd "$work"
source_of source -qq --download-only kubernetes=1.20.5+really1.20.2-1.1+deb12u1
dpkg-source -x ./*.dsc source >/dev/null 2>&1
cd source

# Its own copy of reflect2 crashes when it is built with Go 1.18 or later.
rm -f vendor/github.com/modern-go/reflect2/*.go vendor/github.com/modern-go/reflect2/*.s
cp /usr/share/gocode/src/github.com/modern-go/reflect2/*.go /usr/share/gocode/src/github.com/modern-go/reflect2/*.s \
    vendor/github.com/modern-go/reflect2/

mkdir -p .go/src/k8s.io
ln -s ../../.. .go/src/k8s.io/kubernetes
export HOME="$work" GOPATH="$PWD/.go" CGO_ENABLED=0 GOFLAGS=-mod=vendor GO111MODULE=auto GOPROXY=off
export KUBE_GIT_TREE_STATE=archive
(cd .go/src/k8s.io/kubernetes && make WHAT=cmd/kube-apiserver >"$work/log" 2>&1) || { tail -30 "$work/log"; exit 1; }
cp _output/local/bin/*/*/kube-apiserver "$dir/"
chmod -R u+w "$work"
echo "export REMEDIATOR_COUNTERPARTS=$(dirname "$dir")"
